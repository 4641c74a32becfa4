import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { installedProgram } from './installed-program.js';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** A real Chromium without a window. */
export interface TestBrowser extends AsyncDisposable {
  /** Opens an empty page whose origin is `http://localhost:<port of its own>`. */
  openPage(): Promise<TestPage>;
}

export interface TestPage {
  readonly origin: string;
  readonly page: Page;
}

/** @throws Error saying how to install Chromium */
export async function launchChromium(): Promise<TestBrowser> {
  const executablePath = `/usr/bin/${installedProgram('chromium', '"sudo apt-get install chromium"')}`;
  // Large, and needed by few tests.
  const { chromium } = await import('playwright-core');
  const browser: Browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  const servers: (() => void)[] = [];
  return {
    async openPage() {
      const server = createServer((_request, response) => {
        response.setHeader('content-type', 'text/html').end('<!doctype html><title>Test</title>');
      });
      await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
      servers.push(() => {
        server.closeAllConnections();
        server.close();
      });
      const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
      const page = await browser.newPage();
      await page.goto(origin);
      return { origin, page };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      for (const close of servers) close();
    },
  };
}
