import { registry } from "@web/core/registry";

const COMPARISON = ".o_campaign_master_compare";

/** From the list of campaigns to their comparison, and on to Best Hours. */
registry.category("web_tour.tours").add("campaign_master_comparison", {
    steps: () => [
        {
            content: "Campaigns are grouped by month",
            trigger: ".o_group_header:contains('(2)')",
            run: "click",
        },
        { trigger: ".o_data_row:contains('First') .o_list_record_selector input", run: "click" },
        { trigger: ".o_data_row:contains('Second') .o_list_record_selector input", run: "click" },
        { trigger: "button[name=action_campaign_master_compare]", run: "click" },
        {
            content: "The lines are also a table",
            trigger: `${COMPARISON}:has(canvas) tr:contains('First'):contains('100.0%')`,
        },
        { trigger: `${COMPARISON} .btn-group button:contains('Clicked %')`, run: "click" },
        { trigger: `${COMPARISON} button[aria-pressed=true]:contains('Clicked %')` },
        { trigger: `${COMPARISON} p:contains('people who had clicked')` },
        { trigger: `${COMPARISON} button[aria-label='Remove First']`, run: "click" },
        { trigger: `${COMPARISON}:has(canvas) tbody:not(:contains('First')):contains('Second')` },
        { trigger: "[data-menu-xmlid='mass_mailing.menu_mass_mailing_report']", run: "click" },
        {
            trigger: "[data-menu-xmlid='campaign_master.campaign_master_best_hours_menu']",
            run: "click",
        },
        { trigger: ".o_campaign_master_best_hours:contains('In the last 12 months, there were 2')" },
    ],
});
