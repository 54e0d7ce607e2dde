import { z } from 'zod';
import { f32, f64 } from '../../../plugins/contract/index.ts';

export const configSchema = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff).default(1).describe('Of the signs of users.'),
  width: z.int().min(16).max(1024).default(256).describe('How many signs a user has: more are more exact, and slower.'),
  recent: z.int().min(1).max(100).default(10).describe("How many of a user's latest ratings say what to recommend."),
  doubt: z.number().min(0).max(1000).default(5).describe('Makes items that few rated less alike to others.'),
});

export type Config = z.infer<typeof configSchema>;

/** `draw`: a user's signs are those of what its row was drawn. `sum`, `squares`: v and n of an item. */
export const tables = ({ width }: Config) =>
  ({
    users: { index: 'user', columns: { draw: f32(width, 1) } },
    items: { index: 'item', columns: { sum: f32(width), squares: f64() } },
  }) as const;

export type Tables = ReturnType<typeof tables>;
