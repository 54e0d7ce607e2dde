import { find100k, readMovieLensSmall } from '../data.ts';
import { testMembership } from './membership.ts';

testMembership({ name: 'ml-100k', ...find100k(), min: 1, wholeUsers: 0.85 });
testMembership({ name: 'ml-latest-small', ratings: readMovieLensSmall(), min: 0.5, wholeUsers: 0.94 });
