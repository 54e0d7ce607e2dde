import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/**
 * The gRPC library writes metadata that it cannot take to standard error, of every call and whole: also a token that has a wrong
 * character in it. What else it would write of a server, the server is told by it. It holds for the whole process, so only for one
 * that has nothing else to do; and not where somebody asks for it by the library's own variables.
 */
export function quietLibrary(env: Readonly<Record<string, string | undefined>>): void {
  if (!env.GRPC_NODE_VERBOSITY && !env.GRPC_VERBOSITY) setLogVerbosity(logVerbosity.NONE);
}
