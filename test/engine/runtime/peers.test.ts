import { describe, expect, test } from 'vitest';
import type { NodeRecord } from '../../../src/engine/execution-store.js';
import { Peers } from '../../../src/engine/runtime/peers.js';

const NOW = Date.UTC(2026, 10, 23, 12);
const BEAT = 5_000;

const node = (incarnation: string, heartbeatAt: number): NodeRecord => ({
  incarnation,
  homeId: `home-of-${incarnation}`,
  host: 'test',
  pid: 1,
  roles: ['engine'],
  startedAt: 0,
  heartbeatAt,
});
const dead = (peers: Peers, now: number, ...nodes: NodeRecord[]) =>
  peers.look(nodes, now).map(({ incarnation }) => incarnation);

describe('a peer', () => {
  test('is dead when its heartbeat has stood still for 15 s', () => {
    const peers = new Peers();
    const looks = [0, 1, 2, 3, 4].map((n) =>
      dead(peers, NOW + n * BEAT, node('still', NOW), node('lives', NOW + n * BEAT)),
    );
    expect(looks).toEqual([[], [], [], ['still'], ['still']]);
  });

  test('lives as long as it says something, however far its clock is from ours', () => {
    for (const apart of [-3_600_000, 3_600_000]) {
      const peers = new Peers();
      for (let n = 0; n < 20; n++)
        expect(dead(peers, NOW + n * BEAT, node('other', NOW + apart + n * BEAT))).toEqual([]);
    }
  });

  test('is not judged by the time in which nobody could look', () => {
    const peers = new Peers();
    expect(dead(peers, NOW, node('other', NOW))).toEqual([]);
    const back = NOW + 60_000;
    const looks = [0, 1, 2, 3].map((n) => dead(peers, back + n * BEAT, node('other', NOW)));
    expect(looks).toEqual([[], [], [], ['other']]);
  });

  test('is not judged by a clock that was set back under our feet', () => {
    const peers = new Peers();
    for (const n of [0, 1, 2]) expect(dead(peers, NOW + n * BEAT, node('other', NOW))).toEqual([]);
    expect(dead(peers, NOW - 3_600_000, node('other', NOW))).toEqual([]);
  });
});
