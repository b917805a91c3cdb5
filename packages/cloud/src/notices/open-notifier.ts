import { AppError } from "@penstock/model";

/** Where e-mail is handed to. */
export interface MailServer {
  /** smtp://user:password@host:587, or smtps:// for TLS from the first byte */
  readonly url: string;
  readonly from: string;
}
interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

const timeoutMs = 10_000;

/** Messages over the network: one attempt each; who calls tries again. */
export function openNotifier(options: { readonly mail: MailServer | null; readonly userAgent: string }) {
  return {
    /** @throws when nobody answers in 10 s, or with anything but 2xx; redirects are not followed, so that none leads inside */
    async post(request: { url: string; headers: Readonly<Record<string, string>>; body: string }): Promise<void> {
      const { url, headers, body } = request;
      const signal = AbortSignal.timeout(timeoutMs);
      const given = { ...headers, "user-agent": options.userAgent };
      const answer = await fetch(url, { method: "POST", headers: given, body, redirect: "manual", signal });
      await answer.body?.cancel();
      if (!answer.ok)
        throw new AppError("services/notice-refused", `Cannot post to ${hostOf(url)}: status ${answer.status}`);
    },
    /** @throws when the mail server does not take it */
    async mail({ to, subject, text }: Mail): Promise<void> {
      const server = options.mail;
      if (server === null)
        throw new AppError(
          "services/notice-refused",
          "Cannot send e-mail: the cloud was started without a mail server",
        );
      const { createTransport } = (await import("nodemailer")).default;
      const times = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
      const transport = createTransport({ url: server.url, ...times });
      try {
        await transport.sendMail({ from: server.from, to: [...to], subject, text });
      } finally {
        transport.close();
      }
    },
  };
}

/** Paths of webhooks are often their secret. */
function hostOf(url: string): string {
  return new URL(url).host;
}
