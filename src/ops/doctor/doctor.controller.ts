import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../../access/principal.js';
import { Doctor } from './doctor.js';

const name = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine(
      (value) => !value.includes('\u0000') && value.isWellFormed(),
      'must not contain NUL or lone surrogates',
    );

const DoctorRequest = z
  .strictObject({
    /** All registered buckets when absent. */
    buckets: z
      .array(z.strictObject({ endpointId: name(63).optional(), bucket: name(255) }))
      .min(1)
      .max(100)
      .optional(),
    /** How long the event of a probe object may take to arrive. */
    waitSeconds: z.number().int().min(1).max(60).default(20),
    /** The id of a Slack channel: a message is posted there as a test and taken away. None without it. */
    slackProbe: z
      .string()
      .regex(/^[CG][A-Z0-9]{2,29}$/, 'must be the id of a channel, as C0123456789')
      .optional(),
  })
  .meta({ id: 'DoctorRequest' });

const ExaminationView = z
  .object({
    worst: z.enum(['ok', 'warn', 'fail']),
    durationMs: z.number(),
    diagnoses: z.array(
      z.object({
        check: z.string(),
        subject: z.string(),
        status: z.enum(['ok', 'warn', 'fail']),
        fact: z.string(),
        remedy: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Examination' });
type ExaminationView = z.infer<typeof ExaminationView>;

/** Proves that the service and its buckets work. */
@ApiTags('doctor')
@Controller('api/v1/doctor')
export class DoctorController {
  constructor(private readonly doctor: Doctor) {}

  /** Puts a probe object into each bucket, tries every right on it, waits for its event and removes it. */
  @Post()
  @HttpCode(200)
  @Roles('operator')
  @ApiOkResponse({ standardSchema: ExaminationView })
  async examine(
    @Body({ schema: DoctorRequest }) order: z.infer<typeof DoctorRequest>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ExaminationView> {
    const { worst, durationMs, diagnoses } = await this.doctor.examine({
      ...order,
      actor: auditActor(principal),
      askedBy: principal.name,
    });
    return {
      worst,
      durationMs,
      diagnoses: diagnoses.map(({ remedy, ...diagnosis }) => ({
        ...diagnosis,
        ...(remedy !== undefined && { remedy }),
      })),
    };
  }
}
