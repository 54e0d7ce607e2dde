import { test } from 'node:test';
import { skip } from '../preload/preload.ts';
import { flappingDisk } from './flapping-disk.ts';

test('a disk that fails sixty times under load', { skip, timeout: 1_200_000 }, (t) => flappingDisk(t, 60));
