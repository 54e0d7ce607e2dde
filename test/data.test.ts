import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find1m, find1mHalf, find100k, parseRatings, type Ratings, readMovieLensSmall, readMovies } from './data.ts';

test('ratings are sorted by time, then by their place in the file', () => {
  const { user, item, value, time, count } = parseRatings(
    'user,item,rating,time\n7,1,4.5,30\n8,2,1,20\n9,3,2,20\n',
    ',',
  );
  assert.equal(count, 3);
  assert.deepEqual([...user], [8, 9, 7]);
  assert.deepEqual([...item], [2, 3, 1]);
  assert.deepEqual([...value], [1, 2, 4.5]);
  assert.deepEqual([...time], [20, 20, 30]);
});

test('without times the order of the file stays; a line that is no rating is refused', () => {
  assert.deepEqual([...parseRatings('3,1,4\n2,1,4\n', ',').user], [3, 2]);
  assert.throws(() => parseRatings('1\t2\t3\n1\ttwo\t3\n', '\t'), /rating 2 cannot be read: 1\ttwo\t3/);
});

test('MovieLens latest-small has the figures of its description', () => {
  const ratings = readMovieLensSmall();
  assert.deepEqual(figures(ratings), { count: 100_836, users: 610, items: 9_724, min: 0.5, max: 5 });
  assert.equal(ratings.time[0], 828_124_615);
});

test('movies are read with quoted titles', () => {
  const movies = readMovies();
  assert.equal(movies.length, 9_742);
  assert.deepEqual(movies[0], {
    item: 1,
    title: 'Toy Story (1995)',
    genres: ['Adventure', 'Animation', 'Children', 'Comedy', 'Fantasy'],
  });
  assert.equal(movies.find(({ item }) => item === 11)?.title, 'American President, The (1995)');
});

const sets = [
  { name: 'MovieLens 100K', find: find100k, expected: { count: 100_000, users: 943, items: 1_682, min: 1, max: 5 } },
  {
    name: 'MovieLens 1M, timed half',
    find: find1mHalf,
    expected: { count: 487_650, users: 2_999, items: 3_615, min: 1, max: 5 },
  },
  { name: 'MovieLens 1M', find: find1m, expected: { count: 1_000_209, users: 6_040, items: 3_706, min: 1, max: 5 } },
];

for (const { name, find, expected } of sets) {
  const { skip, ratings } = find();
  test(`${name} has the figures of its description`, { skip }, () => {
    assert.ok(ratings);
    assert.deepEqual(figures(ratings), expected);
  });
}

function figures({ count, user, item, value }: Ratings) {
  const [min, max] = [value.reduce((a, b) => Math.min(a, b)), value.reduce((a, b) => Math.max(a, b))];
  return { count, users: new Set(user).size, items: new Set(item).size, min, max };
}
