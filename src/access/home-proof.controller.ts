import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { HOME_PROOF_PATH, HomeDoor, NONCE } from '../embedded/home-address.js';
import { NotFound } from '../errors.js';
import { Public } from './principal.js';

const Challenge = z.object({ nonce: z.string().regex(NONCE, 'must be 22 to 86 letters of base64url') });

/** Shows the command line that this is the service of its home, before that sends a key. */
@ApiTags('access')
@Controller()
export class HomeProofController {
  constructor(private readonly door: HomeDoor) {}

  @Public()
  @Get(HOME_PROOF_PATH)
  prove(@Query({ schema: Challenge }) { nonce }: z.infer<typeof Challenge>): { proof: string } {
    const proof = this.door.prove(nonce);
    if (proof === undefined) throw new NotFound('This node has told no home where it is.');
    return { proof };
  }
}
