import type { Role } from './role.ts';

/** How much of something one client may ask; 0: no limit of its own. */
export interface ClientLimits {
  readonly callsPerSecond: number;
  readonly concurrentCalls: number;
  readonly messageBytes: number;
}

/** Who calls, as their credentials say. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
  /** What they see and change is all of it: "" is that of the server's own models. */
  readonly namespace: string;
  readonly limits: ClientLimits;
  /** Milliseconds since 1970 when the credentials end. */
  readonly expiresMs: number;
}
