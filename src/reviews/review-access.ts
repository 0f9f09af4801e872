import { applyDecorators } from '@nestjs/common';
import { DECIDERS, OrGrant, READERS, Roles } from '../access/principal.js';

/*
 * Who may call the routes of reviews: by a role for all queues, or by the grant of approver in one of them. Which
 * reviews somebody sees, the desk says (review-desk.ts).
 */

const inQueue = (...roles: Parameters<typeof Roles>) => applyDecorators(OrGrant('approver'), Roles(...roles));

/** Looks at reviews and what belongs to them. */
export const SeesReviews = () => inQueue(...READERS, 'approver');

/** Claims, decides and hands on. */
export const DecidesReviews = () => inQueue(...DECIDERS);

/** Says something of a review, and decides nothing. */
export const CommentsOnReviews = () => inQueue(...DECIDERS, 'author', 'operator');
