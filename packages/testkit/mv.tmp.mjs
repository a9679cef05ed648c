import { createSelfSignedCertificate, createQuicTransport } from '@quic-swarm/transport';
import { FaultProxy } from '@quic-swarm/testkit';
const id = createSelfSignedCertificate({ commonName: 'x', hosts: ['localhost','127.0.0.1'] });
const wait=ms=>new Promise(r=>setTimeout(r,ms));
const opts={maxUdpPayloadBytes:1350, keepAliveMs: 0};
const listener = await createQuicTransport({ server: id, ...opts }).listen({ address: {host:'127.0.0.1',port:0}, onConnection: (c) => { globalThis.srv=c; c.onStream=s=>{ s.onData=()=>{}; s.onError=()=>{}; s.onEnd=()=>s.end(); }; } });
const T=createQuicTransport({ client: { trust: { fingerprints: [id.fingerprint] } }, ...opts });
for (const count of [1,2,3,4,6,10,30]) for (const clientTalks of [true]) {
  const proxy=await FaultProxy.open({server:listener.address,faults:{delayMs:5}});
  const c=await T.connect(proxy.address); await wait(50);
  let got=0, ended=0; c.onStream=s=>{ s.onError=()=>{}; s.onData=b=>{got+=b.length;}; s.onEnd=()=>{ended++; s.end();}; };
  // the server sends `count` messages, one per packet, all lost: the client has moved already but is silent
  await proxy.rebind();
  for (let i=0;i<count;i++) { const s=await srv.openStream(); s.onData=()=>{}; s.onError=()=>{}; s.write(Buffer.alloc(1000)); s.end(); await wait(2); }
  await wait(20);
  const t=performance.now(); { const s=await c.openStream(); s.onData=()=>{}; s.onError=()=>{}; s.write(Buffer.alloc(10)); s.end(); }
  while(ended<count && performance.now()-t<6000) await wait(10);
  console.log('lost messages',count,'arrived',ended,'after',(performance.now()-t).toFixed(0),'ms', 'paths',srv.diagnosis.pathsCount,'server lost',srv.diagnosis.lost,'timer',srv.diagnosis.quicheTimeoutMs);
  await c.close(undefined,0); await proxy.close();
}
await listener.close();
