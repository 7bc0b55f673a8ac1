import { registry } from "@web/core/registry";

import { reactive } from "@odoo/owl";

const POLL_INTERVAL = 1000; // milliseconds
const POLLS = 8; // a refresh usually takes one or two seconds

/**
 * Keeps the templates and lists of each account fresh while somebody looks at them.
 *
 * Nothing waits for Campaign Master: the server is asked to refresh soon, and says with each
 * answer how old its knowledge is. All fields of a form share one asking.
 */
export const catalogueService = {
    dependencies: ["orm"],
    start(env, { orm }) {
        const accounts = {};

        function known(accountId) {
            accounts[accountId] ||= reactive({ stamp: false, notice: false, users: 0 });
            return accounts[accountId];
        }

        async function call(accountId, method, kwargs = {}) {
            const account = known(accountId);
            const answer = await orm.silent.call(
                "campaign.master.account",
                method,
                [[accountId]],
                kwargs
            );
            account.stamp = answer.stamp;
            account.notice = answer.notice;
            return answer;
        }

        async function follow(accountId, polls) {
            await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
            const before = known(accountId).stamp;
            const { stamp } = await call(accountId, "catalogue_state");
            if (stamp === before && polls > 1) {
                await follow(accountId, polls - 1);
            }
        }

        /** Ask for a refresh; `explicit` if the person did something for it. */
        async function ask(accountId, explicit = false) {
            const account = known(accountId);
            if (account.asking) {
                return;
            }
            account.asking = true;
            try {
                const { asked, retry_in } = await call(accountId, "request_catalogue", { explicit });
                if (asked) {
                    await follow(accountId, POLLS);
                } else if (!account.timer) {
                    account.timer = setTimeout(() => {
                        account.timer = null;
                        if (account.users) {
                            ask(accountId);
                        }
                    }, retry_in * 1000);
                }
            } catch {
                // What is known stays; the drop-down works without.
            } finally {
                account.asking = false;
            }
        }

        // Who comes back from another window may have made a template there.
        window.addEventListener("focus", () => {
            for (const accountId in accounts) {
                if (accounts[accountId].users) {
                    ask(Number(accountId), true);
                }
            }
        });

        return { known, ask };
    },
};

registry.category("services").add("campaign_master_catalogue", catalogueService);
