import { Arguments, type Args } from './arguments.js';
import { chat } from './methods/chat.js';
import { conversations } from './methods/conversations.js';
import { files } from './methods/files.js';
import type { Call, Method, Methods } from './methods/method.js';
import { users } from './methods/users.js';
import { views } from './methods/views.js';
import { Refusal, type Json } from './refusal.js';
import type { Tokens } from './tokens.js';
import type { Workspace } from './workspace.js';

/** The web API: who may call what, and then the method. */
export class WebApi {
  private readonly methods: ReadonlyMap<string, Method>;

  constructor(
    private readonly workspace: Workspace,
    private readonly tokens: Tokens,
    private readonly origin: () => string,
    own: Methods,
  ) {
    const all = { ...chat, ...conversations, ...files, ...users, ...views, ...own };
    this.methods = new Map(Object.entries(all));
  }

  /** @returns the body of the answer; a refusal is one, too. */
  call(name: string, args: Args, token: string | undefined): Json {
    try {
      return this.perform(name, new Arguments(args), token);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      throw error;
    }
  }

  private perform(name: string, args: Arguments, token: string | undefined): Json {
    const method = this.methods.get(name);
    if (method === undefined) throw new Refusal('unknown_method', { req_method: name });
    const scopes = this.scopesOf(method, token);
    const call: Call = {
      workspace: this.workspace,
      args,
      origin: this.origin(),
      hasScope: (scope) => scopes.includes(scope),
      needScope: (scope) => {
        if (!scopes.includes(scope))
          throw new Refusal('missing_scope', { needed: scope, provided: scopes.join(',') });
      },
    };
    if (method.scope !== undefined) call.needScope(method.scope);
    this.workspace.pace.call(name, method.tier);
    return method.run(call);
  }

  private scopesOf(method: Method, token: string | undefined): readonly string[] {
    const { bot, app, scopes, appScopes, refusal } = this.tokens;
    if (token === undefined || token === '') throw new Refusal('not_authed');
    if (token !== bot && token !== app) throw new Refusal('invalid_auth');
    if ((token === app) !== (method.token === 'app')) throw new Refusal('not_allowed_token_type');
    if (token === app) return appScopes;
    if (refusal !== undefined) throw new Refusal(refusal);
    return scopes;
  }
}
