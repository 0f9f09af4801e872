import { Injectable } from '@nestjs/common';
import { Database } from './database.js';
import { findHeld } from './sql/restoration.js';

/**
 * Whether this database was restored from a backup and nobody has let it go on since. Then nothing leaves the service and
 * nothing is done to objects: the former life may have done it already, or something else.
 */
@Injectable()
export class RestoreHold {
  // Only a restore lays a hold, and that refuses a database with which somebody works: what is over stays over.
  private isOver = false;

  constructor(private readonly db: Database) {}

  async isHeld(): Promise<boolean> {
    if (this.isOver) return false;
    const held = await findHeld(this.db);
    this.isOver = held === undefined;
    return !this.isOver;
  }
}
