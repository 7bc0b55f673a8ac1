import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { Reactive } from "@web/core/utils/reactive";

import { markRaw } from "@odoo/owl";

const LOOK_DELAY = 1000; // milliseconds
const LOOKS = 8;

/**
 * The templates and lists of one account, as far as forms must know about them: when they were
 * read (`stamp`), and whether they may be old (`notice`).
 *
 * All fields of a form share it, so that they ask once. Nothing waits for it, and its errors leave
 * everything as it was.
 */
class Catalogue extends Reactive {
    constructor(orm, accountId) {
        super();
        this.orm = orm.silent;
        this.accountId = accountId;
        this.stamp = false;
        this.notice = false;
        this.fields = markRaw(new Set());
        this.isAsking = false;
        this.looking = 0;
        this.retryTimer = null;
    }

    /** Take part for as long as a field is there; the returned function ends it. */
    join(field) {
        this.fields.add(field);
        this.ask();
        return () => {
            this.fields.delete(field);
            if (!this.fields.size) {
                browser.clearTimeout(this.retryTimer);
            }
        };
    }

    /** One notice on a form is enough: one of the fields shows it. */
    noticeFor(field) {
        const [first] = this.fields;
        return first === field && this.notice;
    }

    /**
     * Have templates and lists read anew, which the server does in the background: once a minute
     * at most, or once in five seconds if a person did something for it (`explicit`).
     */
    async ask({ explicit = false, again = true } = {}) {
        if (this.isAsking && !explicit) {
            return;
        }
        this.isAsking = true;
        browser.clearTimeout(this.retryTimer);
        const answer = await this.call("request_catalogue", { explicit });
        this.isAsking = false;
        if (answer?.asked) {
            this.look();
        } else if (answer?.retry_in > 0 && again && this.fields.size) {
            this.retryTimer = browser.setTimeout(
                () => this.ask({ explicit, again: false }),
                answer.retry_in * 1000
            );
        }
    }

    /** Look for a while whether the reading has brought something. */
    async look() {
        const { stamp } = this;
        const turn = ++this.looking; // a later one takes over
        for (let look = 0; look < LOOKS; look++) {
            await new Promise((resolve) => browser.setTimeout(resolve, LOOK_DELAY));
            if (turn !== this.looking || !this.fields.size) {
                return;
            }
            await this.call("catalogue_state");
            if (this.stamp !== stamp) {
                return;
            }
        }
    }

    async call(method, kwargs = {}) {
        try {
            const answer = await this.orm.call(
                "campaign.master.account",
                method,
                [[this.accountId]],
                kwargs
            );
            this.stamp = answer.stamp;
            this.notice = answer.notice;
            return answer;
        } catch {
            // Odoo could not be reached, or refused: the form goes on with what it knows.
        }
    }
}

export const catalogueService = {
    dependencies: ["orm"],

    start(env, { orm }) {
        const catalogues = new Map();

        // Whoever comes back to the window may have made a template in Campaign Master meanwhile.
        let wasAway = false;
        const leave = () => (wasAway = true);
        const comeBack = () => {
            if (wasAway && !document.hidden) {
                wasAway = false;
                for (const catalogue of catalogues.values()) {
                    if (catalogue.fields.size) {
                        catalogue.ask({ explicit: true });
                    }
                }
            }
        };
        browser.addEventListener("blur", leave);
        browser.addEventListener("focus", comeBack);
        document.addEventListener("visibilitychange", () =>
            document.hidden ? leave() : comeBack()
        );

        return {
            /** @returns {Catalogue} that of the account */
            of(accountId) {
                if (!catalogues.has(accountId)) {
                    catalogues.set(accountId, new Catalogue(orm, accountId));
                }
                return catalogues.get(accountId);
            },
        };
    },
};

registry.category("services").add("campaign_master_catalogue", catalogueService);
