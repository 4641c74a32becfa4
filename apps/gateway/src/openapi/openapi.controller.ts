import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Endpoint } from './endpoint.decorator.js';
import { OpenApi } from './openapi.service.js';
import { MANUAL_POLICY } from './search-script.js';

/** The manual, for programs and for people. */
@Controller()
export class OpenApiController {
  constructor(@Inject(OpenApi) private readonly openApi: OpenApi) {}

  @Get('_openapi.json')
  @Endpoint({
    tag: 'Manual',
    summary: 'This API as an OpenAPI document',
    replies: { 200: { description: 'An OpenAPI 3.1 document.', content: ['json'] } },
  })
  getOpenApi(): Promise<object> {
    return this.openApi.document();
  }

  @Get('_docs')
  @Endpoint({
    tag: 'Manual',
    summary: 'This API as a page to read',
    replies: { 200: { description: 'The page.', content: ['html'] } },
  })
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', MANUAL_POLICY)
  getManual(): Promise<string> {
    return this.openApi.page();
  }
}
