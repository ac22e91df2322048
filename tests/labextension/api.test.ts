import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';

import type { ApiError } from '../../labextension/src/api';
import { NbprodClient } from '../../labextension/src/api';
import { VERSION } from '../../labextension/src/version';

/** A client of a server whose routes answer so; a route without an answer is not there. */
function clientOf(answers: Record<string, () => object>): {
  client: NbprodClient;
  asked: string[];
} {
  const asked: string[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://a.test/',
    fetch: async input => {
      const url = new URL((input as Request).url);
      const route = url.pathname.split('/').pop() ?? '';
      asked.push(route);
      const answer = answers[route];
      return answer
        ? new Response(JSON.stringify(answer()))
        : new Response('<html>', { status: 404 });
    }
  });
  return { client: new NbprodClient(settings), asked };
}

/** The code of the problem that a study ends in, or null. */
async function problemOf(client: NbprodClient): Promise<string | null> {
  try {
    await client.study('a.ipynb', null);
  } catch (error) {
    return (error as ApiError).problem.code;
  }
  return null;
}

describe('the client', () => {
  it('asks once which server part is there', async () => {
    const { client, asked } = clientOf({
      status: () => ({ version: VERSION, api: 1 }),
      study: () => ({})
    });
    expect(await problemOf(client)).toBeNull();
    expect(await problemOf(client)).toBeNull();
    expect(asked).toEqual(['status', 'study', 'study']);
  });

  it('asks nothing of a server part of another version, until it is another one', async () => {
    let version = '0.0.9';
    const { client, asked } = clientOf({
      status: () => ({ version, api: 1 }),
      study: () => ({})
    });
    expect(await problemOf(client)).toBe('server-differs');
    expect(asked).toEqual(['status']);
    version = VERSION;
    expect(await problemOf(client)).toBeNull();
  });

  it('says that there is no server part', async () => {
    expect(await problemOf(clientOf({}).client)).toBe('server-missing');
  });

  it('asks again which server part is there after it was out of reach', async () => {
    let isUp = true;
    const { client, asked } = clientOf({
      status: () => ({ version: VERSION, api: 1 }),
      study: () => {
        if (!isUp) {
          throw new TypeError('Failed to fetch');
        }
        return {};
      }
    });
    expect(await problemOf(client)).toBeNull();
    isUp = false;
    expect(await problemOf(client)).toBe('unreachable');
    isUp = true;
    expect(await problemOf(client)).toBeNull();
    expect(asked.filter(route => route === 'status')).toHaveLength(2);
  });
});
