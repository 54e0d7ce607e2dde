import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerCertificate } from 'node:tls';
import { namesOf } from './certificate-names.ts';

const names = (subjectaltname: string, CN?: string | string[]) =>
  namesOf({ subjectaltname, subject: { CN } } as unknown as PeerCertificate);

test('the names of a certificate are its alternative names, then its common names', () => {
  assert.deepEqual(names('URI:spiffe://a/b, DNS:a.example, IP Address:127.0.0.1, email:a@b', ['x', 'y']), [
    'uri:spiffe://a/b',
    'dns:a.example',
    'email:a@b',
    'cn:x',
    'cn:y',
  ]);
  assert.deepEqual(namesOf({} as PeerCertificate), []);
});

test('a name that holds commas, colons or quotes is one name, and never another', () => {
  assert.deepEqual(names('URI:"spiffe://a, DNS:admin.example", DNS:a.example'), [
    'uri:spiffe://a, DNS:admin.example',
    'dns:a.example',
  ]);
  assert.deepEqual(names(String.raw`DNS:"a\", URI:spiffe://admin", DNS:b`), ['dns:a", URI:spiffe://admin', 'dns:b']);
  assert.deepEqual(names('', 'dns:admin.example'), ['cn:dns:admin.example']);
  // What cannot be read ends the list.
  assert.deepEqual(names('DNS:a, "DNS:admin, URI:b'), ['dns:a']);
});
