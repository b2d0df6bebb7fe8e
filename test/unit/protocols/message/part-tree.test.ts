/**
 * The structure of a message for programs.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readStructure } from '#protocols/message/part';
import { partTree, type PartTree } from '#protocols/message/part-tree';

function treeOf(...lines: readonly string[]): PartTree {
  const message = Buffer.from(lines.join('\r\n'));
  return partTree(message, readStructure(message));
}

const LEAF: PartTree = {
  ContentType: 'text/plain',
  ContentTypeParams: {},
  ContentID: '',
  ContentDisposition: '',
  Filename: '',
  DecodedSize: 0,
  Parts: [],
};

describe('the tree of a message', () => {
  it('calls plain text what does not say what it is', () => {
    assert.deepEqual(treeOf('Subject: x', '', 'list', ''), { ...LEAF, DecodedSize: 6 });
    assert.deepEqual(treeOf('Content-Type: nothing', '', 'abc'), { ...LEAF, DecodedSize: 3 });
  });

  it('has the parts of multiparts', () => {
    const tree = treeOf(
      'Content-Type: Multipart/Alternative; Boundary=B8dd3b',
      '',
      '--B8dd3b',
      'Content-Type: text/plain; charset=us-ascii',
      '',
      't',
      'x',
      '',
      '--B8dd3b',
      'Content-Type: text/html; charset=us-ascii',
      '',
      '<b>h</b>',
      '',
      '--B8dd3b--',
    );
    const us = { charset: 'us-ascii' };
    assert.deepEqual(tree, {
      ...LEAF,
      ContentType: 'multipart/alternative',
      ContentTypeParams: { boundary: 'B8dd3b' },
      Parts: [
        { ...LEAF, ContentTypeParams: us, DecodedSize: 6 },
        { ...LEAF, ContentType: 'text/html', ContentTypeParams: us, DecodedSize: 10 },
      ],
    });
  });

  it('says how a part is to be shown, and what it is called', () => {
    const names = [
      ['Content-Disposition: ATTACHMENT; filename="a b.txt"', 'a b.txt'],
      ["Content-Disposition: attachment; filename*=utf-8''%E2%82%AC.txt; filename=e.txt", '€.txt'],
      ['Content-Disposition: attachment; filename="=?utf-8?q?k=C3=A4se?="', 'käse'],
      ['Content-Disposition: attachment; filename=käse', 'käse'],
      ['Content-Disposition: attachment', 'other.txt'],
      ['Content-Disposition: attachment; filename=""', 'other.txt'],
    ] as const;
    for (const [field, name] of names) {
      const tree = treeOf(field, 'Content-Type: text/plain; name=other.txt', '', '');
      assert.equal(tree.ContentDisposition, 'attachment');
      assert.equal(tree.Filename, name, field);
    }
    const inline = treeOf('Content-Disposition: inline', 'Content-ID: <hi>', '', '');
    assert.deepEqual(inline, { ...LEAF, ContentDisposition: 'inline', ContentID: '<hi>' });
  });

  it('has parameters as they are, those with a charset decoded', () => {
    const field =
      "Content-Type: text/plain; Charset=UTF-8; name*0*=utf-8''%C3%A4; name*1=.txt; b=ä";
    assert.deepEqual(treeOf(field, '', '').ContentTypeParams, {
      charset: 'UTF-8',
      name: 'ä.txt',
      b: 'ä',
    });
    const odd = treeOf('Content-Type: text/plain; __proto__=x', '', '').ContentTypeParams;
    assert.deepEqual(Object.entries(odd), [['__proto__', 'x']]);
  });

  it('counts octets behind the transfer encoding, line ends of texts as in mail', () => {
    const base64 = 'Content-Transfer-Encoding: base64';
    const encoded = Buffer.from('a\nb\r\n').toString('base64');
    assert.equal(treeOf(base64, '', encoded).DecodedSize, 6);
    assert.equal(treeOf(base64, 'Content-Type: image/png', '', encoded).DecodedSize, 5);
    assert.equal(treeOf('Content-Transfer-Encoding: x', '', 'abc').DecodedSize, 3);
  });

  it('takes a message inside as one piece', () => {
    const inside = ['Subject: x', '', 'hello'];
    assert.deepEqual(treeOf('Content-Type: message/rfc822', '', ...inside), {
      ...LEAF,
      ContentType: 'message/rfc822',
      DecodedSize: Buffer.byteLength(inside.join('\r\n')),
    });
  });
});
