import { type Browser, chromium, type Page } from 'playwright-core';

/** No sandbox because the tests may be root's; the rest keeps it from talking to anybody but the page's server. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long a page may take for anything it is waited for, milliseconds. */
const PAGE_TIMEOUT_MS = 30_000;

/** A page of Debian's Chromium, and what went wrong on it. */
export class ChromiumPage {
  readonly page: Page;
  /** Uncaught errors, console errors (refused content and failed requests included). */
  readonly complaints: string[] = [];
  readonly #browser: Browser;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
    page.setDefaultTimeout(PAGE_TIMEOUT_MS);
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  /** Starts a browser with a profile of its own, and with more flags than those every test needs. */
  static async open(flags: readonly string[] = []): Promise<ChromiumPage> {
    const args = [...FLAGS, ...flags];
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args });
    return new ChromiumPage(browser, await browser.newPage({ viewport: { width: 1280, height: 800 } }));
  }

  /** Ends the browser and all its processes. */
  async close(): Promise<void> {
    await this.#browser.close();
  }
}
