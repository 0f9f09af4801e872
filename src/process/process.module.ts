import { Module } from '@nestjs/common';
import { ProcessController } from './process.controller.js';

/** How the executions of each definition went, in figures. */
@Module({ controllers: [ProcessController] })
export class ProcessModule {}
