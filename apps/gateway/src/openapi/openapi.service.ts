import { Inject, Injectable, type Type } from '@nestjs/common';
import { VERSION } from '@edgesync/platform';
import type { OpenApiDocument } from './docs-page.js';

/** Which controllers the manual describes. */
export const DOCUMENTED_CONTROLLERS = Symbol('DOCUMENTED_CONTROLLERS');

/** Makes the manual when somebody asks for it: a server that nobody asks does not even load the code. */
@Injectable()
export class OpenApi {
  constructor(@Inject(DOCUMENTED_CONTROLLERS) private readonly controllers: readonly Type[]) {}

  async document(): Promise<OpenApiDocument> {
    const { buildOpenApi } = await import('./build-openapi.js');
    return buildOpenApi(this.controllers, VERSION) as unknown as OpenApiDocument;
  }

  async page(): Promise<string> {
    const { docsPage } = await import('./docs-page.js');
    return docsPage(await this.document());
  }
}
