// Attacks by one client on the relay. Each goes on until it is stopped, and never reads an answer.
import { connect, type Socket } from 'node:net';

export type Attack = { stop(): void };

/** @param onOpen sends what the connection sends */
function opened(socketPath: string, onOpen: (socket: Socket) => void): Socket {
  const socket = connect(socketPath, () => onOpen(socket));
  socket.on('error', () => undefined);
  return socket;
}

/** `count` connections, each of which sends `text` `times` times at once. */
export function pipelined(socketPath: string, { count, times, text }: { count: number; times: number; text: string }): Attack {
  const bytes = Buffer.from(text.repeat(times), 'latin1');
  const sockets = Array.from({ length: count }, () => opened(socketPath, (socket) => socket.pause().write(bytes)));
  return { stop: () => sockets.forEach((socket) => socket.destroy()) };
}

/**
 * Holds `count` places and opens `perSecond` new connections in every second, each of which sends `head`, and then one byte
 * in each second if it `trickles`.
 */
export function holding(
  socketPath: string,
  { count, perSecond, head = '', trickles = false }: { count: number; perSecond: number; head?: string; trickles?: boolean },
): Attack {
  const sockets = new Set<Socket>();
  const add = () => {
    const socket = opened(socketPath, () => socket.pause().write(head));
    sockets.add(socket.once('close', () => sockets.delete(socket)));
  };
  for (let n = 0; n < count; n += 1) add();
  const timers = [setInterval(add, 1_000 / perSecond)];
  if (trickles) timers.push(setInterval(() => sockets.forEach((socket) => socket.write('x')), 1_000));
  return {
    stop: () => {
      timers.forEach(clearInterval);
      sockets.forEach((socket) => socket.destroy());
    },
  };
}
