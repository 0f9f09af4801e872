import { Global, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Clock } from '../clock.js';
import { CONFIG } from '../config.js';
import { Database } from '../database/database.js';
import { LOG } from '../ops/log.js';
import { AccessController } from './access.controller.js';
import { AccessGuard } from './access.guard.js';
import { AccessService } from './access.service.js';
import { Directory } from './directory.js';
import { FindingsRead } from './findings-read.js';
import { GrantsController } from './grants.controller.js';
import { Grants } from './grants.service.js';
import { GroupsController } from './groups.controller.js';
import { Groups } from './groups.service.js';
import { OidcController } from './oidc/oidc.controller.js';
import { OidcSignIn } from './oidc/oidc-sign-in.js';
import { KeysController } from './keys.controller.js';
import { Keys } from './keys.service.js';
import { OwnedController } from './owned.controller.js';
import { Ownership } from './ownership.js';
import { UsersController } from './users.controller.js';
import { Users } from './users.service.js';

/** Who may come in. The guard stands before every route of every stage. */
@Global()
@Module({
  controllers: [
    AccessController,
    UsersController,
    GroupsController,
    GrantsController,
    KeysController,
    OwnedController,
    OidcController,
  ],
  providers: [
    AccessService,
    Directory,
    Users,
    Groups,
    Grants,
    Ownership,
    Keys,
    AccessGuard,
    {
      provide: OidcSignIn,
      inject: [CONFIG, Database, Clock, LOG, AccessService],
      useFactory: (...parts: Parameters<typeof OidcSignIn.using>) => OidcSignIn.using(...parts),
    },
    { provide: APP_GUARD, useExisting: AccessGuard },
    { provide: APP_INTERCEPTOR, useClass: FindingsRead },
  ],
  exports: [AccessService, Directory, AccessGuard],
})
export class AccessModule {}
