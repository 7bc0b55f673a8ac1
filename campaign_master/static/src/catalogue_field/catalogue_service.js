import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { Reactive } from "@web/core/utils/reactive";

const MODEL = "campaign.master.account";
const LOOK_DELAY = 1000;
const LOOKS = 8;

/**
 * The templates and lists of one account, as far as forms must know about them: when they were
 * read (`stamp`), and whether they may be old (`notice`).
 *
 * All fields of a form share it, so that they ask once. Asking is free of any waiting: the answer
 * only says how things stand, and errors leave everything as it was.
 */
export class Catalogue extends Reactive {
    stamp = false;
    notice = false;

    constructor(orm, accountId) {
        super();
        this.orm = orm.silent;
        this.accountId = accountId;
        this.users = [];
        this.asking = false;
        this.looksLeft = 0;
        this.retryTimer = null;
    }

    /** Take part for as long as a field is there. */
    join(user) {
        this.users.push(user);
        this.ask();
        return () => {
            this.users.splice(this.users.indexOf(user), 1);
            if (!this.users.length) {
                this.looksLeft = 0;
                browser.clearTimeout(this.retryTimer);
            }
        };
    }

    /**
     * Ask the server to read templates and lists anew, which it does in the background, once a
     * minute at most, or once in five seconds if a person did something for it (`explicit`).
     */
    async ask({ explicit = false, again = true } = {}) {
        if (this.asking && !explicit) {
            return;
        }
        this.asking = true;
        browser.clearTimeout(this.retryTimer);
        let answer;
        try {
            answer = await this.call("request_catalogue", { explicit });
        } finally {
            this.asking = false;
        }
        if (answer?.asked) {
            this.look();
        } else if (answer?.retry_in > 0 && again && this.users.length) {
            this.retryTimer = browser.setTimeout(
                () => this.ask({ explicit, again: false }),
                answer.retry_in * 1000
            );
        }
    }

    /** Look every second whether the reading has brought something, for a while. */
    async look() {
        const isLooking = this.looksLeft > 0;
        this.looksLeft = LOOKS;
        const { stamp } = this;
        while (!isLooking && this.looksLeft > 0 && this.stamp === stamp) {
            await new Promise((resolve) => browser.setTimeout(resolve, LOOK_DELAY));
            this.looksLeft--;
            if (this.users.length) {
                await this.call("catalogue_state");
            }
        }
        ...
    }

    async call(method, kwargs = {}) {
        try {
            const answer = await this.orm.call(MODEL, method, [[this.accountId]], kwargs);
            this.stamp = answer.stamp;
            this.notice = answer.notice;
            return answer;
        } catch {
            // Odoo could not be reached: the form goes on with what it knows.
        }
    }
}
