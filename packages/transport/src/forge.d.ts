/** The few functions of node-forge 1.4 that `certificates.ts` uses. The package has no types of its own. */
declare module 'node-forge' {
  interface Asn1 {
    type: number;
    value: Asn1[] | string;
  }

  interface ByteBuffer {
    getBytes(): string;
  }

  interface Name {
    name: string;
    value: string;
  }

  interface Certificate {
    serialNumber: string;
    validity: { notBefore: Date; notAfter: Date };
    publicKey: unknown;
    siginfo: { algorithmOid: string | null; parameters: unknown };
    signatureOid: string | null;
    setSubject(names: Name[]): void;
    setIssuer(names: Name[]): void;
    setExtensions(extensions: object[]): void;
  }

  interface Forge {
    asn1: {
      Class: { UNIVERSAL: number };
      Type: { SEQUENCE: number; OID: number; BITSTRING: number };
      create(tagClass: number, type: number, isConstructed: boolean, value: Asn1[] | string): Asn1;
      oidToDer(oid: string): ByteBuffer;
      toDer(node: Asn1): ByteBuffer;
      fromDer(der: string): Asn1;
    };
    jsbn: { BigInteger: new (text: string) => unknown };
    pem: { encode(message: { type: string; body: string }): string };
    pki: {
      createCertificate(): Certificate;
      getTBSCertificate(certificate: Certificate): Asn1;
      rsa: { setPublicKey(modulus: unknown, exponent: unknown): unknown };
    };
  }

  const forge: Forge;
  export default forge;
}
