import { readMovieLensSmall } from '../data.ts';
import { testMembership } from './membership.ts';

testMembership({ name: 'ml-latest-small', ratings: readMovieLensSmall(), min: 0.5, wholeUsers: 0.94 }, true);
