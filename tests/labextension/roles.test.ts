import { describe, expect, it } from 'vitest';

import { rolesOf, withRole } from '../../labextension/src/roles';

describe('a role among the tags', () => {
  it.each([
    ['no tags', undefined, []],
    ['tags that are no list', 'features', []],
    ['tags that are no roles', ['slow', 'hide-input'], []],
    ['one role among other tags', ['slow', 'train'], ['train']],
    ['the same role twice', ['train', 'train'], ['train']],
    ['two roles', ['train', 'features'], ['train', 'features']],
    ['a role in capitals is another tag', ['Train'], []]
  ])('reads %s', (_, tags, expected) => {
    expect(rolesOf(tags)).toEqual(expected);
  });

  it.each([
    ['adds to nothing', undefined, 'data' as const, ['data']],
    [
      'keeps other tags and their order',
      ['b', 'a'],
      'data' as const,
      ['b', 'a', 'data']
    ],
    [
      'replaces every other role',
      ['train', 'a', 'data'],
      'features' as const,
      ['a', 'features']
    ],
    ['clears', ['a', 'train'], null, ['a']],
    ['clears where there is nothing', undefined, null, []]
  ])('%s', (_, tags, role, expected) => {
    expect(withRole(tags, role)).toEqual(expected);
  });
});
