import { openLevelStore } from '@quic-swarm/store';

export async function remember(folder: string, happened: string): Promise<string[]> {
  await using store = await openLevelStore({ folder });
  const epoch = await store.raiseEpoch(); // whoever wrote before may not any more
  const snapshot = await store.latestSnapshot();
  const story: string[] = [];
  for await (const piece of snapshot?.pieces ?? []) story.push(Buffer.from(piece).toString());
  for await (const { payload } of store.tail((snapshot?.sequence ?? 0) + 1)) {
    story.push(Buffer.from(payload).toString());
  }
  const sequence = await store.append(epoch, [Buffer.from(happened)]); // on the disk when it resolves
  story.push(happened);
  if (sequence % 2 === 0)
    await store.snapshot(
      sequence,
      story.map((line) => Buffer.from(line)),
    );
  return story;
}
