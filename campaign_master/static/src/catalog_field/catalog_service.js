import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { Reactive } from "@web/core/utils/reactive";

import { markRaw } from "@odoo/owl";

const POLL_DELAY = 1000; // milliseconds
const MAX_POLLS = 8;

/**
 * The state of one account's templates and lists: when they were refreshed (`stamp`), and why they
 * may be outdated (`notice`).
 *
 * All fields of a form share it, so that they send one request. Nothing waits for it, and its
 * errors change nothing.
 */
class Catalog extends Reactive {
    constructor(orm, accountId) {
        super();
        this.orm = orm.silent;
        this.accountId = accountId;
        this.stamp = false;
        this.notice = false;
        this.fields = markRaw(new Set());
        this.isRequesting = false;
        this.pollId = 0;
        this.retryTimer = null;
    }

    /**
     * Register a field and request a refresh.
     *
     * @returns {() => void} removes the field
     */
    addField(field) {
        this.fields.add(field);
        this.requestRefresh();
        return () => {
            this.fields.delete(field);
            if (!this.fields.size) {
                browser.clearTimeout(this.retryTimer);
            }
        };
    }

    /** Only the first field shows the notice, so that a form shows it once. */
    noticeFor(field) {
        const [first] = this.fields;
        return first === field && this.notice;
    }

    /**
     * Request a refresh, which the server does in the background: at most once a minute, or once in
     * five seconds if a person asked for it (`explicit`). If it was too early, retry once.
     */
    async requestRefresh({ explicit = false, retry = true } = {}) {
        if (this.isRequesting && !explicit) {
            return;
        }
        this.isRequesting = true;
        browser.clearTimeout(this.retryTimer);
        const response = await this.call("request_catalog", { explicit });
        this.isRequesting = false;
        if (response?.requested) {
            this.poll();
        } else if (response?.retry_in > 0 && retry && this.fields.size) {
            this.retryTimer = browser.setTimeout(
                () => this.requestRefresh({ explicit, retry: false }),
                response.retry_in * 1000
            );
        }
    }

    /** Poll until the refresh is done, for a few seconds. */
    async poll() {
        const { stamp } = this;
        const pollId = ++this.pollId; // a later call replaces this one
        for (let poll = 0; poll < MAX_POLLS; poll++) {
            await new Promise((resolve) => browser.setTimeout(resolve, POLL_DELAY));
            if (pollId !== this.pollId || !this.fields.size) {
                return;
            }
            await this.call("catalog_state");
            if (this.stamp !== stamp) {
                return;
            }
        }
    }

    async call(method, kwargs = {}) {
        try {
            const state = await this.orm.call(
                "campaign.master.account",
                method,
                [[this.accountId]],
                kwargs
            );
            this.stamp = state.stamp;
            this.notice = state.notice;
            return state;
        } catch {
            // Odoo could not be reached or refused the call: the form keeps its current values.
        }
    }
}

export const catalogService = {
    dependencies: ["orm"],

    start(env, { orm }) {
        const catalogs = new Map();

        // A user who returns to the window may have created a template in Campaign Master.
        let wasAway = false;
        const onLeave = () => (wasAway = true);
        const onReturn = () => {
            if (wasAway && !document.hidden) {
                wasAway = false;
                for (const catalog of catalogs.values()) {
                    if (catalog.fields.size) {
                        catalog.requestRefresh({ explicit: true });
                    }
                }
            }
        };
        browser.addEventListener("blur", onLeave);
        browser.addEventListener("focus", onReturn);
        document.addEventListener("visibilitychange", () =>
            document.hidden ? onLeave() : onReturn()
        );

        return {
            /** @returns {Catalog} the account's catalog */
            getCatalog(accountId) {
                if (!catalogs.has(accountId)) {
                    catalogs.set(accountId, new Catalog(orm, accountId));
                }
                return catalogs.get(accountId);
            },
        };
    },
};

registry.category("services").add("campaign_master_catalog", catalogService);
