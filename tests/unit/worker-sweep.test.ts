import { describe, expect, it } from 'vitest';
import { Retirement } from '../../worker/retirement.ts';
import { SweepTracker } from '../../worker/sweep.ts';

const at = (seconds: number): Date => new Date(seconds * 1000);
const KNOWN_SECONDS = 30;

describe('a round sweeps', () => {
  it('the keys that it is told to, when nothing went back', () => {
    const tracker = new SweepTracker(at(5), ['1', '2']);
    expect(tracker.keyIds).toEqual(new Set(['1', '2']));
    expect(tracker.completed()).toEqual({ startedAt: at(5), keyIds: new Set(['1', '2']) });
  });

  it('nothing, when it is told none', () => {
    expect(new SweepTracker(at(0), []).completed()).toBeNull();
  });

  it('no key of which a parcel went back, but the others', () => {
    const tracker = new SweepTracker(at(0), ['1', '2']);
    tracker.noteRemaining('2');
    tracker.noteRemaining('3');
    expect(tracker.completed()?.keyIds).toEqual(new Set(['1']));
    tracker.noteRemaining('1');
    expect(tracker.completed()).toBeNull();
  });

  it('nothing, when a parcel of an unknown key may be left', () => {
    const tracker = new SweepTracker(at(0), ['1', '2']);
    tracker.noteUnknownRemaining();
    expect(tracker.completed()).toBeNull();
  });
});

describe('a key of the worker', () => {
  const sweep = (seconds: number, ...keyIds: string[]) => ({ startedAt: at(seconds), keyIds: new Set(keyIds) });

  function due(seconds = 100): Retirement {
    const retirement = new Retirement();
    retirement.updateDue('1', true, at(seconds));
    return retirement;
  }

  it('may not be shredded before its time is over, whatever was swept', () => {
    const retirement = new Retirement();
    retirement.noteSweep(sweep(1_000, '1'));
    retirement.updateDue('1', false, at(1_999));
    expect([[...retirement.due], retirement.mayShred('1'), retirement.mayShredUnusable('1', false)]).toEqual([[], false, false]);
    retirement.updateDue('1', true, at(2_000));
    expect([[...retirement.due], retirement.mayShred('1')]).toEqual([['1'], false]);
  });

  it('may be shredded after a sweep that began when every relay knew of its end', () => {
    const retirement = due(100);
    expect(retirement.mayShred('1')).toBe(false);
    retirement.noteSweep(sweep(100 + KNOWN_SECONDS - 0.001, '1'));
    expect(retirement.mayShred('1')).toBe(false);
    retirement.noteSweep(sweep(100 + KNOWN_SECONDS, '1'));
    expect(retirement.mayShred('1')).toBe(true);
  });

  it('may not be shredded for a sweep of another key', () => {
    const retirement = due(100);
    retirement.noteSweep(sweep(1_000, '2'));
    expect(retirement.mayShred('1')).toBe(false);
  });

  it('is due from when its end was first seen, and later again if that moved', () => {
    const retirement = due(100);
    retirement.updateDue('1', true, at(500));
    retirement.noteSweep(sweep(200, '1'));
    expect(retirement.mayShred('1')).toBe(true);
    retirement.updateDue('1', false, at(500));
    expect([[...retirement.due], retirement.mayShred('1')]).toEqual([[], false]);
    retirement.updateDue('1', true, at(900));
    expect(retirement.mayShred('1')).toBe(false);
  });

  it('may be shredded after the last sweep, even if later rounds swept nothing', () => {
    const retirement = due(100);
    retirement.noteSweep(sweep(200, '1'));
    retirement.noteSweep(null);
    expect(retirement.mayShred('1')).toBe(true);
    retirement.noteShredded('1');
    expect([[...retirement.due], retirement.mayShred('1')]).toEqual([[], false]);
  });

  it('that cannot be used may be shredded when nothing was accepted under it', () => {
    const retirement = due();
    expect([retirement.mayShredUnusable('1', true), retirement.mayShredUnusable('1', false)]).toEqual([false, true]);
    expect(retirement.mayShredUnusable('2', false)).toBe(false);
  });
});
