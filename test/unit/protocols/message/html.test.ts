/**
 * What is found in HTML: words as they are seen, links as they are written.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { htmlTexts } from '#protocols/message/html';

function seen(html: string): string {
  return (htmlTexts(html)[0] ?? '').replace(/\s+/g, ' ').trim();
}

describe('HTML', () => {
  const cases: readonly (readonly [what: string, html: string, text: string])[] = [
    ['without tags', 'just text', 'just text'],
    ['with marked letters', 'a <b>bo</b>ld<I>er</I> w<span class="x">or</span>d', 'a bolder word'],
    ['with blocks', '<p>one</p><p>two<br>three</p><td>four</td>', 'one two three four'],
    [
      'with what is hidden',
      '<style>p{}</style>a<SCRIPT>if (a<b) c()</script >b<!-- c -->d',
      'a bd',
    ],
    ['with a declaration', '<!DOCTYPE html><?xml version="1"?>text', 'text'],
    [
      'with entities',
      '&Auml;pfel &amp; caf&eacute; &lt;b&gt; &#8364; &#x20AC;',
      'Äpfel & café <b> € €',
    ],
    [
      'with entities that are none',
      '&nope; &; a&b &#99999999; &#x110000;',
      '&nope; &; a&b &#99999999; &#x110000;',
    ],
    ['with signs that are no tags', '1 < 2 and 3 <= 4 <3', '1 < 2 and 3 <= 4 <3'],
    ['with tags that never end', 'a <b and <!-- more', 'a <b and <!-- more'],
    ['with a script that never ends', '<script>left open', 'left open'],
  ];
  for (const [what, html, text] of cases) {
    it(`${what} is read as it is seen`, () => assert.equal(seen(html), text));
  }

  it('gives what its links and pictures say', () => {
    const html =
      '<a href="https://a.example/?b=1&amp;c=2">here</a>' +
      `<img ALT='a cat' src=cat.png title = "Tom"><input value=send data-x=no>`;
    assert.deepEqual(htmlTexts(html).slice(1), [
      'https://a.example/?b=1&c=2',
      'a cat',
      'cat.png',
      'Tom',
      'send',
    ]);
  });

  it('leaves out pictures that stand in the text', () => {
    assert.equal(htmlTexts(`<img src="data:image/png;base64,${'A'.repeat(5000)}">`).length, 1);
  });

  it('costs as much as it is long, whatever it is', () => {
    const start = performance.now();
    for (const piece of ['<', '<a', '<!--', '<script>', '<a href="', '&#', '<a <', '</', '"<p ']) {
      htmlTexts(piece.repeat(100_000));
    }
    assert.ok(performance.now() - start < 5_000);
  });
});
