import { Module, type DynamicModule } from '@nestjs/common';
import { S3Module } from '../s3/s3.module.js';
import { RestoreController } from './restore.controller.js';
import { RestoreService } from './restore.service.js';

/** What a running service knows of backups: that its database was restored from one, and is held. */
@Module({})
export class RestoreModule {
  static with(parts: { imports: NonNullable<DynamicModule['imports']> }): DynamicModule {
    return {
      module: RestoreModule,
      imports: [S3Module, ...parts.imports],
      controllers: [RestoreController],
      providers: [RestoreService],
    };
  }
}
