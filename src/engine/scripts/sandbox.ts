import { createHash } from 'node:crypto';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  Scope,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import variantModule from '@jitl/quickjs-wasmfile-release-sync';
import { describeError, SCRIPT_NAME } from './describe-error.js';
import type { Order, SandboxResult } from './messages.js';
import { SURROUNDINGS } from './surroundings.js';

// Its types describe the CommonJS build; what is imported is the ES module, whose default is the variant itself.
const variant = variantModule as unknown as QuickJSSyncVariant;

const PAGE_BYTES = 64 * 1024;
// What the module declares; its own data and stack lie in it too.
const INITIAL_PAGES = 256;
// Deeper recursion of the script ends with an error of its own; the thread's stack holds what that takes (see Lane).
const STACK_BYTES = 256 * 1024;
// WebAssembly memory never shrinks. An instance that has grown beyond this is not used again.
const KEPT_BYTES = 32 * 1024 * 1024;

/**
 * Evaluates scripts in QuickJS, each in a runtime of its own. The WebAssembly instance under it is used again, unless
 * there is any doubt about it.
 */
export class Sandbox {
  private instance: Promise<QuickJSWASMModule> | undefined;

  constructor(private readonly wasm: WebAssembly.Module) {}

  /** Never rejects because of what a script does. */
  async evaluate(order: Order): Promise<SandboxResult> {
    const instance = await (this.instance ??= this.open(order.memoryBytes));
    const run = new Run(instance, order);
    let result: SandboxResult;
    try {
      result = run.result();
    } catch (error) {
      // QuickJS or its glue gave up in the middle: nothing in this instance can be relied on any more.
      this.instance = undefined;
      return run.isOverdue
        ? overdue(order)
        : { ok: false, message: `The script was stopped: ${reasonOf(error)}` };
    }
    try {
      run.close();
    } catch {
      // It says that something of the script is still held. The result stands; the instance goes.
      this.instance = undefined;
    }
    if (run.isOverdue || instance.getWasmMemory().buffer.byteLength > KEPT_BYTES) this.instance = undefined;
    return run.isOverdue ? overdue(order) : result;
  }

  private open(memoryBytes: number): Promise<QuickJSWASMModule> {
    const maximum = Math.max(INITIAL_PAGES, Math.ceil((2 * memoryBytes) / PAGE_BYTES));
    const wasmMemory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum });
    return newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule: this.wasm, wasmMemory }));
  }
}

const overdue = ({ limitMs }: Order): SandboxResult => ({
  ok: false,
  message: `The script ran for more than ${limitMs / 1000} seconds and was stopped`,
});

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'it calls itself too often, or its values are nested too deeply';
  return error instanceof Error ? error.message.slice(0, 200) : 'the sandbox failed';
}

/** One script in a runtime of its own. */
class Run {
  private readonly scope = new Scope();
  private readonly context: QuickJSContext;
  isOverdue = false;

  constructor(
    instance: QuickJSWASMModule,
    private readonly order: Order,
  ) {
    const runtime = this.scope.manage(instance.newRuntime());
    runtime.setMemoryLimit(order.memoryBytes);
    runtime.setMaxStackSize(STACK_BYTES);
    const end = performance.now() + order.limitMs;
    runtime.setInterruptHandler(() => {
      if (performance.now() < end) return false;
      this.isOverdue = true;
      return true;
    });
    this.context = this.scope.manage(runtime.newContext());
  }

  /** Throws when the sandbox itself broke. */
  result(): SandboxResult {
    const { context, order, scope } = this;
    const { parse, write } = this.surround();
    const input = context.callFunction(parse, context.undefined, context.newString(order.input));
    if (input.error !== undefined)
      return this.failure(input.error, 'Its input does not fit into the sandbox. ');
    context.setProp(context.global, '$', scope.manage(input.value));
    const value = context.evalCode(order.expression, SCRIPT_NAME, { type: 'global' });
    if (value.error !== undefined) return this.failure(value.error);
    const written = context.callFunction(write, context.undefined, scope.manage(value.value));
    if (written.error !== undefined)
      return this.failure(written.error, 'Its result cannot be written as JSON. ');
    return this.carryOut(scope.manage(written.value));
  }

  close(): void {
    this.scope.dispose();
  }

  private surround(): { parse: QuickJSHandle; write: QuickJSHandle } {
    const { context, order, scope } = this;
    const digest = createHash('sha256').update(order.seed).digest();
    const seeds = [0, 4, 8, 12].map((offset) => digest.readInt32LE(offset));
    const make = scope.manage(
      context.unwrapResult(context.evalCode(SURROUNDINGS, 'surroundings', { type: 'global' })),
    );
    const numbers = [order.now, ...seeds].map((number) => scope.manage(context.newNumber(number)));
    const made = scope.manage(context.unwrapResult(context.callFunction(make, context.undefined, numbers)));
    return {
      parse: scope.manage(context.getProp(made, 'parse')),
      write: scope.manage(context.getProp(made, 'write')),
    };
  }

  private carryOut(written: QuickJSHandle): SandboxResult {
    const { context, order } = this;
    const type = context.typeof(written);
    if (type === 'number') {
      return {
        ok: false,
        message: 'Its result is a promise, and nothing waits for it: end with the value itself',
      };
    }
    // Nothing, or a function or a symbol, is no JSON.
    if (type !== 'string') return { ok: true, json: 'null' };
    const length = context.getProp(written, 'length').consume((handle) => context.getNumber(handle));
    if (length > order.maxResultCharacters) {
      const most = `at most ${order.maxResultCharacters} are taken`;
      return { ok: false, message: `Its result has ${length} characters as JSON; ${most}` };
    }
    return { ok: true, json: context.getString(written) };
  }

  private failure(thrown: QuickJSHandle, before = ''): SandboxResult {
    return { ok: false, message: before + describeError(this.context, this.scope.manage(thrown)) };
  }
}
