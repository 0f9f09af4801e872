import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessController } from './access.controller.js';
import { AccessGuard } from './access.guard.js';
import { AccessService } from './access.service.js';
import { Directory } from './directory.js';

/** Who may come in. The guard stands before every route of every stage. */
@Global()
@Module({
  controllers: [AccessController],
  providers: [AccessService, Directory, AccessGuard, { provide: APP_GUARD, useExisting: AccessGuard }],
  exports: [AccessService, Directory, AccessGuard],
})
export class AccessModule {}
