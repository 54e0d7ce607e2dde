import { definePlugin } from '../../../plugins/contract/index.ts';
import honest from './honest.ts';

/** Retracts, and says that it does not. */
export default definePlugin({ ...honest, name: 'modest', retracts: 'none' });

export const breaks = ['a retraction that is not promised changes nothing'];
