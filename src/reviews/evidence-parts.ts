import type { Provider, Type } from '@nestjs/common';
import { AnswerPageController } from './ask-uploader/answer-page.controller.js';
import { AskUploaderController } from './ask-uploader/ask-uploader.controller.js';
import { AskUploader } from './ask-uploader/ask-uploader.service.js';
import { UploaderQuestionHandler } from './ask-uploader/uploader-question.handler.js';
import { AttachmentScans } from './attachments/attachment-scans.js';
import { AttachmentsController } from './attachments/attachments.controller.js';
import { Attachments } from './attachments/attachments.service.js';
import { ReviewContextController } from './context/context.controller.js';
import { DownloadsController } from './downloads/downloads.controller.js';
import { Downloads } from './downloads/downloads.service.js';
import { UploaderIdentitiesController } from './uploader/identities.controller.js';
import { Uploaders } from './uploader/uploaders.js';

/** Who uploaded what a review is about, and what people are shown of it. */
export const EVIDENCE_CONTROLLERS: readonly Type[] = [
  UploaderIdentitiesController,
  ReviewContextController,
  DownloadsController,
  AttachmentsController,
  AskUploaderController,
  AnswerPageController,
];

export const EVIDENCE_PROVIDERS: readonly Provider[] = [
  Uploaders,
  Downloads,
  Attachments,
  AttachmentScans,
  AskUploader,
  UploaderQuestionHandler,
];
