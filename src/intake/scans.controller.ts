import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../access/principal.js';
import { keyProblem } from './object-key.js';
import { ScanRequests, type ScanRequested } from './scan-requests.service.js';

const storable = (value: string) => !value.includes('\u0000') && value.isWellFormed();
const NOT_STORABLE = 'must not contain NUL or lone surrogates';

const ScanRequestBody = z
  .strictObject({
    endpointId: z.string().min(1).max(63).optional(),
    bucket: z.string().min(1).max(255).refine(storable, NOT_STORABLE),
    key: z.string().superRefine((key, context) => {
      const message = keyProblem(key);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    }),
    versionId: z.string().min(1).max(1024).refine(storable, NOT_STORABLE).optional(),
  })
  .meta({ id: 'ScanRequest' });
type ScanRequestBody = z.infer<typeof ScanRequestBody>;

/** Scans on request. */
@Controller('api/v1/scans')
export class ScansController {
  constructor(private readonly requests: ScanRequests) {}

  @Post()
  @HttpCode(202)
  @Roles('operator')
  request(
    @Body({ schema: ScanRequestBody }) body: ScanRequestBody,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ScanRequested> {
    return this.requests.request(body, auditActor(principal));
  }
}
