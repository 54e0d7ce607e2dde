#!/bin/sh
# Usage: sh test/data/certificates/make.sh: makes the certificates of the tests anew. Needs OpenSSL. Nothing trusts them.

cd "$(dirname "$0")" || exit
days=36500

authority() { # name
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj "/CN=Accrete tests, $1" \
    -keyout "$1.key" -out "$1.crt" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
}

leaf() { # name, authority, subject, alternative names, options
  name=$1 ca=$2 subject=$3 names=$4
  shift 4
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$subject" -keyout "$name.key" -out "$name.csr"
  printf 'subjectAltName=%s\n' "$names" >"$name.ext"
  openssl x509 -req -in "$name.csr" -CA "$ca.crt" -CAkey "$ca.key" -CAcreateserial -extfile "$name.ext" -out "$name.crt" "$@"
  rm "$name.csr" "$name.ext"
}

authority authority
authority stranger
leaf server authority /CN=localhost DNS:localhost,IP:127.0.0.1 -days $days
leaf renewed authority /CN=renewed DNS:localhost,IP:127.0.0.1 -days $days
leaf client authority /CN=shop URI:spiffe://tests/shop,DNS:shop.tests -days $days
leaf unlisted authority /CN=unlisted DNS:unlisted.tests -days $days
leaf expired authority /CN=shop URI:spiffe://tests/shop -days -1
leaf foreign stranger /CN=shop URI:spiffe://tests/shop -days $days
rm -f *.srl
