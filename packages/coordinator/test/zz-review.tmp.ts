import { CoreHarness, taskIdOf } from './core-harness.ts';
import { Statistics } from '../src/shell/statistics.ts';
const T=(n:string,f:()=>void)=>{try{console.log('##',n);f();}catch(e){console.log('THREW',String(e).slice(0,300));}};
T('A resume timers',()=>{
  const h=new CoreHarness(); const c=h.client(); const a=h.agent('a'); const id=c.submit(1,{scheduleToStartMs:5000,startToCloseMs:1000});
  const [t]=a.takeTasks(); const token='token-'+a.connectionId; a.vanish();
  const b=h.agent('a',{sessionToken:token,heldLeases:[{epoch:t!.epoch,taskId:t!.taskId,attempt:t!.attempt}]});
  console.log('after resume',h.row(id).state); b.start(t!);
  const beat=()=>{b.heartbeat([t!])};
  for(let i=0;i<60;i++){h.advance(100);beat();}
  const end=c.ends().get(id); console.log('at 6s',h.row(id).state,end?.failure);
});
T('A2 resume no startToClose',()=>{
  const h=new CoreHarness(); const c=h.client(); const a=h.agent('a'); const id=c.submit(1,{startToCloseMs:1000});
  const [t]=a.takeTasks(); a.start(t!); const token='token-'+a.connectionId; a.vanish();
  const b=h.agent('a',{sessionToken:token,heldLeases:[{epoch:t!.epoch,taskId:t!.taskId,attempt:t!.attempt}]});
  for(let i=0;i<6000;i++){h.advance(100);b.heartbeat([t!]);b.take('HeartbeatAck')}
  console.log('at 600s',h.row(id).state,'startToClose timer index',h.core.state.tasks.get(id)!.startToCloseTimer?.index);
});
T('A3 dispatched never started',()=>{
  const h=new CoreHarness(); const c=h.client(); const a=h.agent('a'); const id=c.submit(1,{startToCloseMs:1000});
  const [t]=a.takeTasks();
  for(let i=0;i<6000;i++){h.advance(100);a.heartbeat([t!]);a.take('HeartbeatAck')}
  console.log('at 600s',h.row(id).state);
});
T('B watched leak',()=>{
  const h=new CoreHarness({finishedTasksMax:10}); const c=h.client(); const a=h.agent('a');
  for(let i=1;i<=500;i++){c.submit(i,{watch:'none'}); const [t]=a.takeTasks(); a.start(t!); a.complete(t!);}
  console.log('watched',h.core.state.clients.get(c.connectionId)!.watched.size,'tasks',h.core.state.tasks.size);
});
T('C lane growth',()=>{
  const h=new CoreHarness({finishedTasksMax:10}); const core=h.core; const c=h.client();
  const go=(n:number,k:number)=>{for(let i=0;i<k;i++){const m=(type:any,body:any)=>core.handle({type:'MessageReceived',connectionId:c.connectionId,message:{type,body}} as any,1000);
    m('SubmitTask',{requestId:1,taskId:taskIdOf(n+i),taskType:'PatternMatch',datasets:[],watch:'none',payload:new Uint8Array(1)});
    m('CancelTask',{requestId:1,taskId:taskIdOf(n+i),reason:'x',graceMs:1});}};
  go(1,10); (globalThis as any).gc?.(); const m0=process.memoryUsage().heapUsed; go(100,200000); h.core.state.clients.get(c.connectionId)!.watched.clear(); (globalThis as any).gc?.();
  console.log('tasks known',core.state.tasks.size,'queue',core.state.queue.size,'heap growth MB',(process.memoryUsage().heapUsed-m0)/1e6);
});
T('C2 duplicate lane entry',()=>{
  const h=new CoreHarness(); const c=h.client(); const a=h.agent('a'); const id=c.submit(1);
  let [t]=a.takeTasks(); a.start(t!); let token='token-'+a.connectionId; a.vanish();
  const b=h.agent('a',{sessionToken:token,heldLeases:[{epoch:t!.epoch,taskId:t!.taskId,attempt:t!.attempt}]});
  console.log(h.row(id).state); token='token-'+b.connectionId; b.vanish(); console.log(h.row(id).state);
});
T('P heartbeat overtakes LeaseReturn',()=>{
  const h=new CoreHarness(); const c=h.client(); const a=h.agent('a'); const id=c.submit(1,{idempotent:false});
  const [t]=a.takeTasks(); a.heartbeat([]); a.say('LeaseReturn',{leases:[{epoch:t!.epoch,taskId:t!.taskId,attempt:t!.attempt}],reason:'drain'});
  console.log('not started, given back:',h.row(id).state,h.row(id).failure?.type);
});
T('P2 Goodbye overtakes LeaseReturn',()=>{
  const h=new CoreHarness(); const c=h.client(); const a=h.agent('a'); const id=c.submit(1,{idempotent:false});
  const [t]=a.takeTasks(); a.say('Goodbye',{reason:'bye'}); console.log(h.row(id).state,h.row(id).failure?.type);
});
T('Q handler throws DRAINING',()=>{
  const h=new CoreHarness(); const c=h.client(); const a=h.agent('a'); const id=c.submit(1); let n=0;
  for(;n<500;n++){const [t]=a.takeTasks(); if(!t)break; a.start(t); a.fail(t,'DRAINING',true);} console.log('attempts at the same instant',n,h.row(id).state);
});
T('I many chunks',()=>{
  const h=new CoreHarness(); const core=h.core; const c=h.client(); const a=h.agent('a'); c.submit(1,{watch:'none'}); const [t]=a.takeTasks(); a.start(t!);
  const t0=performance.now(); for(let i=0;i<60000;i++) core.handle({type:'MessageReceived',connectionId:a.connectionId,message:{type:'ResultChunk',body:{epoch:t!.epoch,taskId:t!.taskId,attempt:t!.attempt,sequence:i,payload:new Uint8Array(1)}}} as any,1000);
  console.log('60000 chunks ms',performance.now()-t0);
});
T('E huge computeMs',()=>{
  const s=new Statistics(); s.observe({type:'AttemptEnded',taskId:'x',taskType:'y',agentId:'z',attempt:1,outcome:'succeeded',computeMs:1e13,failure:undefined} as any); console.log('ok 1e13'); 
});
T('H byAgent',()=>{
  const s=new Statistics(); for(let i=0;i<300;i++){ s.observe({type:'AttemptEnded',taskId:'x',taskType:'y',agentId:'a'+i,attempt:1,outcome:'succeeded',computeMs:1} as any); s.observe({type:'AgentChanged',agentId:'a'+i,change:'lost'} as any);} console.log('a299 succeeded',s.ofAgent('a299').succeeded,'other',s.ofAgent('other').succeeded);
});
