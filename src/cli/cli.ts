import type { Command } from 'commander';
import { Client } from './client.js';
import { CommandError } from './command-error.js';
import { inOptions } from './field-names.js';
import type { Style } from './lines.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { settingsFrom } from './settings.js';

/** What every command has: the service, the places for its lines, and whether JSON is wanted. */
export class Cli {
  /** 0: done, 1: done and the answer is no (not clean, not completed). What fails throws a CommandError: 2. */
  exitCode: 0 | 1 = 0;
  private wantsJson = false;
  private connected: Client | undefined;
  private command: Command | undefined;

  constructor(
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly output: Output,
  ) {}

  /** Made when it is first asked for: help needs neither key nor address. @throws CommandError */
  get client(): Client {
    return (this.connected ??= new Client(settingsFrom(this.env), (sentence, fields) =>
      this.command === undefined ? sentence : inOptions(sentence, fields, this.command),
    ));
  }

  /** The address that has answered; `undefined` as long as none has. */
  get answered(): string | undefined {
    return this.connected?.hasAnswered === true ? this.connected.url : undefined;
  }

  get json(): boolean {
    return this.wantsJson;
  }

  get style(): Style {
    return this.output.style;
  }

  /** Puts a question to a person; `undefined` where there is none. */
  get ask(): Output['ask'] {
    return this.output.ask;
  }

  /** Puts a question whose answer is not shown; `undefined` where there is nobody. */
  get askSecret(): Output['askSecret'] {
    return this.output.askSecret;
  }

  /** Of the environment of the command. */
  variable(name: string): string | undefined {
    return this.env[name] === '' ? undefined : this.env[name];
  }

  /** All of it: for the commands that work beside the service and not through it. */
  get environment(): Readonly<Record<string, string | undefined>> {
    return this.env;
  }

  /** All that is piped in; nothing where nothing can be. */
  async pipedIn(): Promise<string> {
    return (await this.output.pipedIn?.()) ?? '';
  }

  out(line: string): void {
    this.output.out(line);
  }

  note(line: string): void {
    this.output.note(line);
  }

  /** Prints an answer: as JSON where that is wanted, otherwise as the lines that `lines` makes of it. */
  print<T>(answer: T, lines: (answer: T) => Iterable<string>): void {
    if (this.json) return this.out(JSON.stringify(answer, null, 2));
    for (const line of lines(answer)) this.out(line);
  }

  /** After a list: how the rest of it is had. */
  more(cursor: string | undefined): void {
    if (cursor !== undefined && !this.json) this.note(`there are more: --cursor ${cursor}`);
  }

  /** Shows how far long work is. Whoever begins it ends it, also when the work fails. */
  progress(unit: string): Progress {
    return new Progress(unit, this.json ? undefined : this.output, () => performance.now());
  }

  /** Before a command's action: what is wrong with its arguments in general, and how it is to answer. */
  begin(command: Command): void {
    this.command = command;
    this.wantsJson = command.optsWithGlobals()['json'] === true;
    for (const [index, argument] of command.registeredArguments.entries()) {
      const given: unknown = command.processedArgs[index];
      for (const value of Array.isArray(given) ? given : [given]) {
        if (typeof value === 'string' && value.trim() === '') {
          throw new CommandError(`${command.name()}: ${argument.name()} is empty. ${seeHelp(command)}`);
        }
      }
    }
    for (const [name, value] of Object.entries(command.opts())) {
      if (value === '') {
        throw new CommandError(
          `${command.name()}: the value of --${dashed(name)} is empty. ${seeHelp(command)}`,
        );
      }
    }
  }
}

/** Where it is said how a command is written. */
export function seeHelp(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name());
  return `See: ${names.join(' ')} --help`;
}

const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
