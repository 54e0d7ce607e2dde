import { find100k } from '../data.ts';
import { testMembership } from './membership.ts';

testMembership({ name: 'ml-100k', ...find100k(), min: 1, wholeUsers: 0.85 });
