import { test } from 'node:test';
import { skip } from '../preload/preload.ts';
import { flappingDisk } from './flapping-disk.ts';

test('a disk that fails four times under load', { skip, timeout: 120_000 }, (t) => flappingDisk(t, 4));
