import { registry } from "@web/core/registry";

const RESULTS = ".o_campaign_master_results";
const ALERT = ".o_campaign_master_alert:contains('Permanent bounces: 1 of 2 emails')";
const BACK = { trigger: ".o_back_button a, .breadcrumb-item.o_back_button a", run: "click" };

/** From the results of a sent campaign to the people behind them. */
registry.category("web_tour.tours").add("campaign_master_results", {
    steps: () => [
        {
            content: "The results come before the tabs, and nothing is highlighted",
            trigger: `.o_form_view:not(:has(.o_statusbar_buttons .btn-primary)):has(${RESULTS})`,
        },
        { trigger: `${RESULTS} [data-stage=planned]:contains('3')` },
        { trigger: `${RESULTS} [data-stage=on_list]:contains('2'):contains('66.7%')` },
        { trigger: `${RESULTS} [data-stage=opened]:contains('2'):contains('100.0%')` },
        {
            content: "The curve is also a table",
            trigger: `${RESULTS}:has(canvas) table.visually-hidden:contains('People who clicked')`,
        },
        { trigger: `${RESULTS} .btn-group button:contains('All')`, run: "click" },
        { trigger: `${RESULTS} .btn-group button[aria-pressed=true]:contains('All')` },
        { trigger: `${RESULTS} summary`, run: "click" },
        { trigger: `${RESULTS} tr:contains('Unique Opens'):contains('2')` },
        {
            content: "Who is not on the list is a press away",
            trigger: `${RESULTS} [data-outcome=no_email]:contains('1 No Email')`,
            run: "click",
        },
        { trigger: ".o_list_view:not(:contains('Ann')) .o_data_row:contains('Not Sent')" },
        BACK,
        {
            content: "A stage opens its people",
            trigger: `${RESULTS} [data-stage=clicked]`,
            run: "click",
        },
        { trigger: ".o_breadcrumb:contains('Clicked')" },
        { trigger: ".o_list_view:not(:contains('Bob')) .o_data_row:contains('Ann')" },
        BACK,
        {
            content: "And so do the buttons",
            trigger: ".oe_stat_button:contains('Opened'):contains('100.0%')",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Bob')" },
        BACK,
        { trigger: "a[name=campaign_master_sent_plan]", run: "click" },
        { trigger: "[name=campaign_master_subject]:contains('Spring is here')" },
        {
            content: "Done removes an alert, and keeps what was typed",
            trigger: "[name=title] input",
            run: "edit Spring is over",
        },
        { trigger: `${ALERT} button:contains('Done')`, run: "click" },
        { trigger: `.o_form_saved:not(:has(${ALERT})) [name=title] input:value('Spring is over')` },
    ],
});

/** On a phone, nothing is wider than the screen. */
registry.category("web_tour.tours").add("campaign_master_results_phone", {
    steps: () => [
        {
            trigger: `${RESULTS}:has(canvas) [data-stage=clicked]`,
            run() {
                const { scrollWidth, clientWidth } = document.querySelector(RESULTS);
                if (scrollWidth > clientWidth) {
                    throw new Error("The results are wider than the screen");
                }
            },
        },
        { trigger: `${RESULTS} [data-stage=clicked]`, run: "click" },
        { trigger: ".o_kanban_record:contains('Ann')" },
    ],
});
