#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes the keys of this folder anew, in the current directory. They are committed,
# so that every run of the tests judges the same bytes. None of them is used anywhere.
#
#   TYPE.v1  TYPE.pem  TYPE.pkcs8   the same key in each format; TYPE.pub its public part
#   *.encrypted                     the same with a passphrase
#   rsa1.ssh1  rsa1.pub             a key of protocol 1, by ssh-keygen1
#   *.cert, rsa.cert.*              certificates by an authority whose key nobody has kept
#   FINGERPRINTS                    TYPE BITS FINGERPRINT, as ssh-keygen -l tells them

set -euo pipefail
comment="a key for tests"
passphrase=secret

# convert FROM TO OPTION…: a copy in another format, or with another passphrase.
convert() {
    local from=$1 to=$2
    shift 2
    cp "$from" "$to"
    chmod 600 "$to"
    ssh-keygen -q -p -P "" -N "" "$@" -f "$to" > /dev/null
}

# make NAME TYPE BITS
make() {
    rm -f "$1".*
    ssh-keygen -q -t "$2" -b "$3" -N "" -C "$comment" -f "$1.v1"
    mv "$1.v1.pub" "$1.pub"
}

forms() {
    convert "$1.v1" "$1.pem" -m PEM
    convert "$1.v1" "$1.pkcs8" -m PKCS8
}

# certify NAME CERTIFICATE OPTION…
certify() {
    ssh-keygen -q -s authority -I "a certificate for tests" -n host.example.org "${@:3}" "$1.pub"
    mv "$1-cert.pub" "$2"
}

# Ed25519 as PKCS#8 is openssl's; ssh-keygen reads it from 9.6 on.
ed25519_pkcs8() {
    rm -f ed25519-openssl.*
    openssl genpkey -algorithm ed25519 -out ed25519-openssl.pkcs8
    {
        printf 'ssh-ed25519 '
        {
            printf '\0\0\0\013ssh-ed25519\0\0\0\040'
            openssl pkey -in ed25519-openssl.pkcs8 -pubout -outform DER | tail -c 32
        } | base64 -w 0
        printf ' %s\n' "$comment"
    } > ed25519-openssl.pub
}

# Shorter than ssh-keygen makes them, or reads them.
short_rsa() {
    rm -f rsa768.*
    openssl genrsa -traditional -out rsa768.pem 768
}

# The passphrase of protocol 1 is a key of DES, which libcrypto leaves to its legacy provider.
legacy_crypto() {
    printf '%s\n' 'openssl_conf = all' '[all]' 'providers = both' '[both]' 'default = on' \
        'legacy = on' '[on]' 'activate = 1'
}

protocol_1() {
    rm -f rsa1.*
    ssh-keygen1 -q -t rsa1 -b 1024 -N "" -C "$comment" -f rsa1.ssh1
    mv rsa1.ssh1.pub rsa1.pub
    cp rsa1.ssh1 rsa1.ssh1.encrypted
    chmod 600 rsa1.ssh1.encrypted
    OPENSSL_CONF=<(legacy_crypto) \
        ssh-keygen1 -q -p -P "" -N "$passphrase" -f rsa1.ssh1.encrypted > /dev/null
}

make rsa rsa 2048
make rsa1024 rsa 1024
make ecdsa256 ecdsa 256
make ecdsa384 ecdsa 384
make ecdsa521 ecdsa 521
make ed25519 ed25519 256
make dsa dsa 1024
for name in rsa rsa1024 ecdsa256 ecdsa384 ecdsa521 dsa; do
    forms "$name"
done
ed25519_pkcs8
short_rsa 2> /dev/null
protocol_1
for name in rsa ed25519; do
    convert "$name.v1" "$name.v1.encrypted" -N "$passphrase"
done
for name in rsa ecdsa256 dsa; do
    convert "$name.v1" "$name.pem.encrypted" -m PEM -N "$passphrase"
done
convert ecdsa256.v1 ecdsa256.pkcs8.encrypted -m PKCS8 -N "$passphrase"
for pub in *.pub; do
    keygen=ssh-keygen
    [[ $pub != rsa1.pub ]] || keygen=ssh-keygen1
    read -r bits fingerprint _ < <("$keygen" -lf "$pub")
    echo "${pub%.pub} $bits $fingerprint"
done > FINGERPRINTS
ssh-keygen -q -t ed25519 -N "" -f authority
for name in rsa dsa ecdsa256 ed25519; do
    certify "$name" "$name.cert" -h
done
certify rsa rsa.cert.user
certify rsa rsa.cert.expired -h -V 20200101:20200201
certify rsa rsa.cert.early -h -V 20900101:20910101
rm authority authority.pub
chmod 644 -- *
chmod 755 make-keys.sh
