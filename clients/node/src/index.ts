/** A client of Accrete, a recommender server that learns from every rating before it answers the call that brought it. */

export type { CallOptions, Requests, ServiceClient } from './calls.ts';
export { Client, connect } from './client.ts';
export type { ConnectOptions, TlsOptions } from './connection.ts';
export * from './errors.ts';
export { type Allocation, arm, point } from './experiments.ts';
export * from './gen/index.accrete.v1.ts';
export { pages } from './paging.ts';
export { RatingStream, type RatingStreamOptions } from './rating-stream.ts';
export type { StreamSummary } from './window.ts';
