import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { sendJson } from '../http/reply.js';
import { Endpoint } from './endpoint.decorator.js';
import { OpenApi } from './openapi.service.js';

/** The manual, for programs and for people. */
@Controller()
export class OpenApiController {
  constructor(@Inject(OpenApi) private readonly openApi: OpenApi) {}

  @Get('_openapi.json')
  @Endpoint({
    tag: 'Manual',
    summary: 'This API as an OpenAPI document',
    replies: { 200: { description: 'An OpenAPI 3.1 document.', content: [{ json: true }] } },
  })
  async document(@Res() reply: FastifyReply): Promise<void> {
    sendJson(reply, 200, JSON.stringify(await this.openApi.document()));
  }

  @Get('_docs')
  @Endpoint({
    tag: 'Manual',
    summary: 'This API as a page to read',
    replies: { 200: { description: 'The page.', content: [{ html: true }] } },
  })
  async page(@Res() reply: FastifyReply): Promise<void> {
    reply
      .headers({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
      })
      .send(await this.openApi.page());
  }
}
