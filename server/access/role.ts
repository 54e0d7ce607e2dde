/** What someone may do; each may do what those before it may. */
export const ROLES = ['read', 'write', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/** What a method asks of its caller; `anyone` needs no credentials: health, which probes ask without any. */
export type Rule = Role | 'anyone';

export function covers(role: Role, rule: Rule): boolean {
  return rule === 'anyone' || ROLES.indexOf(role) >= ROLES.indexOf(rule);
}
