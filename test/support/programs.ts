/** The start of a program for Windows, with its header where a linker puts it or elsewhere. */
export function windowsProgram(options: { headerAt?: number; bytes?: number } = {}): Buffer {
  const { headerAt = 0x80 } = options;
  const program = Buffer.alloc(Math.max(options.bytes ?? 1024, headerAt + 256));
  program.write('MZ');
  program.writeUInt32LE(headerAt, 60);
  program.write('This program cannot be run in DOS mode.', 0x4e);
  program.write('PE\0\0', headerAt, 'latin1');
  program.writeUInt16LE(0x8664, headerAt + 4);
  program.writeUInt16LE(0xf0, headerAt + 20);
  program.writeUInt16LE(0x20b, headerAt + 24);
  return program;
}

/** The start of a program for Linux. */
export function linuxProgram(): Buffer {
  const program = Buffer.alloc(1024);
  Buffer.from('7f454c46020101', 'hex').copy(program);
  program.writeUInt16LE(2, 16);
  program.writeUInt16LE(62, 18);
  return program;
}

/** The start of a program for macOS. */
export function macProgram(): Buffer {
  const program = Buffer.alloc(1024);
  for (const [at, value] of [0xfeedfacf, 0x0100_000c, 0, 2, 10].entries())
    program.writeUInt32LE(value, at * 4);
  return program;
}
