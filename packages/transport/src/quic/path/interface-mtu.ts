/**
 * How large a datagram the network interface towards a peer takes. Larger ones would be cut into fragments by this
 * machine's kernel, and fragments are what many networks drop (RFC 9000 §14). Node cannot ask for the MTU; Linux tells
 * it in a file. Elsewhere it is not known, and then nothing is probed.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

const UDP_HEADER_BYTES = 8;
const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;

/** UDP payload bytes on the interface that leads to a peer; undefined where that is not known. */
export async function payloadBytesTowards(host: string): Promise<number | undefined> {
  const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
  try {
    // Connecting sends nothing: it makes the kernel choose the route and with it the local address. Port 9 discards.
    socket.connect(9, host);
    await once(socket, 'connect');
    return payloadBytesAt(socket.address().address);
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}

/** UDP payload bytes on the interface with a local address; for `0.0.0.0` and `::` those that all interfaces take. */
export function payloadBytesAt(localHost: string): number | undefined {
  const isAny = localHost === '0.0.0.0' || localHost === '::';
  const headerBytes =
    UDP_HEADER_BYTES + (isIP(localHost) === 6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES);
  const sizes: number[] = [];
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    const isMeant = addresses.some(
      ({ address, internal }) => (isAny && !internal) || address === localHost,
    );
    if (!isMeant) continue;
    const mtuBytes = mtuOf(name);
    if (mtuBytes === undefined) return undefined;
    sizes.push(mtuBytes - headerBytes);
  }
  return sizes.length === 0 ? undefined : Math.min(...sizes);
}

function mtuOf(interfaceName: string): number | undefined {
  try {
    const mtuBytes = Number(readFileSync(`/sys/class/net/${interfaceName}/mtu`, 'utf8'));
    return Number.isInteger(mtuBytes) && mtuBytes > 0 ? mtuBytes : undefined;
  } catch {
    return undefined;
  }
}
