import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markup } from './markup.ts';

test('values are escaped, markup is not, lists are put together', () => {
  const name = `<b title='x' class="y">&amp;`;
  const escaped = '&#60;b title=&#39;x&#39; class=&#34;y&#34;&#62;&#38;amp;';
  assert.equal(markup`<i id="${name}">${name}</i>`.text, `<i id="${escaped}">${escaped}</i>`);
  assert.equal(markup`<ul>${['<', markup`<li>${1}</li>`, ['>']]}</ul>`.text, '<ul>&#60;<li>1</li>&#62;</ul>');
});
