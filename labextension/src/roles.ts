/**
 * The roles of cells, and how a role stands among a cell's tags.
 */

/** All roles, in the order in which a notebook usually has them. */
export const ROLES = [
  'parameters',
  'data',
  'features',
  'train',
  'evaluate',
  'explore'
] as const;

/** What a cell is for. */
export type Role = (typeof ROLES)[number];

/** Whether `value` is the name of a role. */
export function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role);
}

/** The role names among a cell's tags; more than one is a conflict. */
export function rolesOf(tags: unknown): Role[] {
  return Array.isArray(tags) ? [...new Set(tags.filter(isRole))] : [];
}

/** The tags with `role` in the place of every other role; tags that are no role stay as they are. */
export function withRole(tags: unknown, role: Role | null): string[] {
  const others = Array.isArray(tags) ? tags.filter(tag => !isRole(tag)) : [];
  return role === null ? others : [...others, role];
}
