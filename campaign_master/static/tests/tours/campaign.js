import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const SYNC = "button[name=action_campaign_master_sync]";
const STATUS = ".o_campaign_master_sync_status";

/** A sync is refused while the subject is missing. Once it is there, the form shows the sync from
 * its start to its result, without being reloaded by the user. */
tours.add("campaign_master_sync", {
    steps: () => [
        { trigger: SYNC, run: "click" },
        {
            content: "The refusal says what is missing",
            trigger:
                ".modal:contains('Unable to create the external campaign for the following reason : Campaign subject is required and has not been provided') footer button",
            run: "click",
        },
        {
            trigger: "[name=campaign_master_subject] input",
            run: "edit Spring is here",
        },
        { trigger: SYNC, run: "click" },
        {
            content: "The sync runs in the background and can be cancelled",
            trigger: `${STATUS}[data-state=running]:contains('The sync of “Spring offers” is starting.') .o_campaign_master_cancel`,
        },
        {
            content: "Until it has started, the progress bar has no value",
            trigger: `${STATUS} .progress:not([aria-valuenow])`,
        },
        {
            content: "Template and list are locked meanwhile",
            trigger:
                ".o_form_view:not(:has([name=campaign_master_template_id] input, [name=campaign_master_list_id] input))",
        },
        {
            content: "The result and the values of the campaign appear",
            trigger: `.o_form_view:has(${STATUS}[data-state=partial]):has([name=campaign_master_remote_status]:contains('draft'))`,
        },
    ],
});

/** The check before a sync shows the recipients by result, and starts the sync. */
tours.add("campaign_master_check", {
    steps: () => [
        { trigger: "button[name=action_campaign_master_check]", run: "click" },
        { trigger: ".modal .o_data_row:contains('To Be Added'):contains('2')" },
        {
            content: "Those without an address open as a list",
            trigger: ".modal .o_data_row:contains('No Email') button[name=action_open]",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Nobody Reachable')" },
        { trigger: ".o_back_button a, .breadcrumb-item.o_back_button a", run: "click" },
        { trigger: "button[name=action_campaign_master_check]", run: "click" },
        { trigger: ".modal footer button[name=action_sync]", run: "click" },
        { trigger: `${STATUS}[data-state=running]` },
    ],
});

/** After a sync: its result, the next steps, the locked template, and the tabs. */
tours.add("campaign_master_result", {
    steps: () => [
        {
            content: "The next steps in Campaign Master are shown",
            trigger: `${STATUS} .o_campaign_master_steps:contains('Next steps in Campaign Master'):contains('Send it')`,
        },
        { trigger: `${STATUS} [data-outcome=no_email]:contains('1 No Email')` },
        {
            content: "The template is locked and says why",
            trigger:
                ".o_form_view:not(:has([name=campaign_master_template_id] input)):contains('Launch Campaign › Edit/Test')",
        },
        { trigger: "a[name=campaign_master_contacts]", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('Person 0')" },
        { trigger: "a[name=campaign_master_companies]", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('Person 1')" },
        {
            content: "A result opens its recipients",
            trigger: `${STATUS} [data-outcome=no_email]`,
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Nobody Reachable')" },
        { trigger: ".o_back_button a, .breadcrumb-item.o_back_button a", run: "click" },
        {
            content: "The history shows user and result",
            trigger: "button[name=action_campaign_master_syncs]",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Mara Marketing'):contains('Partial')" },
    ],
});

/** While a sync pushes recipients, the form shows how many; Cancel ends it. */
tours.add("campaign_master_cancel", {
    steps: () => [
        { trigger: `${STATUS}:contains('2 of 3 recipients') .progress[aria-valuenow='67']` },
        { trigger: `${STATUS} .o_campaign_master_cancel`, run: "click" },
        { trigger: `${STATUS}[data-state=cancelled]:contains('Sync again to add the others.')` },
        { trigger: SYNC },
    ],
});

/** While Campaign Master is down, the form shows what the sync is waiting for. */
tours.add("campaign_master_waiting", {
    steps: () => [
        {
            trigger: `${STATUS}[data-state=running]:contains('Campaign Master reports a technical problem. The sync resumes automatically at')`,
        },
    ],
});

/** A failed sync says why; Retry Failed starts it again. */
tours.add("campaign_master_failed", {
    steps: () => [
        {
            trigger: `${STATUS}[data-state=failed]:contains('no recipients were added') .o_campaign_master_retry:contains('Retry Failed')`,
            run: "click",
        },
        { trigger: `${STATUS}[data-state=running]` },
    ],
});

/** A deleted campaign can be created again or unlinked, and nothing else. */
tours.add("campaign_master_deleted", {
    steps: () => [
        { trigger: `${STATUS}[data-state=failed]:contains('was deleted in Campaign Master')` },
        {
            trigger: `.o_form_view:not(:has(.o_campaign_master_retry, ${SYNC}, button[name=action_campaign_master_refresh_statistics])) button[name=action_campaign_master_create_again]`,
        },
        { trigger: "button[name=action_campaign_master_unlink]", run: "click" },
        {
            content: "The template can be selected again",
            trigger: `.o_form_view:not(:has(${STATUS})) [name=campaign_master_template_id] input`,
        },
    ],
});

/** A refresh is shown, and its figures appear without reloading the page. */
tours.add("campaign_master_refresh", {
    steps: () => [
        { trigger: "a[name=campaign_master_statistics]", run: "click" },
        { trigger: "[name=campaign_master_sent]:contains(/^–$/)" },
        { trigger: "button[name=action_campaign_master_refresh_statistics]", run: "click" },
        { trigger: ".o_campaign_master_refreshing:contains('Refreshing statistics')" },
        { trigger: "[name=campaign_master_sent]:contains(/^2$/)" },
        { trigger: ".o_form_view:not(:has(.o_campaign_master_refreshing))" },
    ],
});

/** A failed refresh says why, and the next one removes the message. */
tours.add("campaign_master_refresh_failed", {
    steps: () => [
        {
            trigger:
                ".o_campaign_master_refresh_failed:contains('The statistics were not refreshed; the last figures are kept.'):contains('Campaign Master reports a technical problem.')",
        },
        { trigger: "button[name=action_campaign_master_refresh_statistics]", run: "click" },
        {
            trigger:
                ".o_form_view:has(.o_campaign_master_refreshing):not(:has(.o_campaign_master_refresh_failed))",
        },
    ],
});

const GRID = ".o_campaign_master_recipients";

/** Each column fits on the screen, and its title is not cut; the person is never cut. */
tours.add("campaign_master_columns", {
    steps: () => [
        { trigger: "a[name=campaign_master_contacts]", run: "click" },
        {
            content: "Person and company, the result, and no zeros",
            trigger: `${GRID} .o_data_row:contains('Ann Sharer'):contains('Bakers'):contains('Opened') [name=click_count]:empty`,
        },
        {
            content: "The total counts a shared address once",
            trigger: `${GRID} tfoot td:contains(/^4$/)`,
        },
        { trigger: `${GRID} .o_optional_columns_dropdown button`, run: "click" },
        { trigger: ".o-dropdown--menu input[name=bounced]", run: "click" },
        { trigger: ".o-dropdown--menu input[name=opted_out]", run: "click" },
        { trigger: `${GRID} th[data-name=bounced]`, run: "press Escape" },
        {
            trigger: `${GRID}:has(th[data-name=bounced]) th[data-name=opted_out]`,
            run() {
                const table = document.querySelector(`${GRID} .o_list_renderer`);
                const limit = table.querySelector(".o_list_actions_header").offsetLeft;
                for (const header of table.querySelectorAll("th[data-name]")) {
                    const { name } = header.dataset;
                    const label = header.querySelector(".text-truncate");
                    if (header.offsetLeft + header.offsetWidth > limit + 1) {
                        throw new Error(`The column ${name} is not on the screen`);
                    }
                    if (label.scrollWidth > label.clientWidth) {
                        throw new Error(`The title of the column ${name} is cut`);
                    }
                }
                for (const cell of table.querySelectorAll("td[name=person_name], td[name=result]")) {
                    if (cell.scrollWidth > cell.clientWidth) {
                        throw new Error(`${cell.textContent} is cut`);
                    }
                }
            },
        },
        {
            content: "It is said that only the first of several addresses is used",
            trigger: `${GRID} td[name=person_name] .fa-info-circle[title='Only the first address is used: ann@example.com, ann@example.org']`,
        },
        { trigger: `${GRID} .o_optional_columns_dropdown button`, run: "click" },
        { trigger: ".o-dropdown--menu input[name=email]", run: "click" },
        {
            content: "Where addresses are shown, it is said there",
            trigger: `${GRID} td[name=email] .fa-info-circle[title='Only the first address is used: ann@example.com, ann@example.org']`,
        },
        { trigger: `${GRID} td[name=person_name] .fa-info-circle:not(:visible)` },
        {
            content: "The list is not a second main part of the page",
            trigger: "body:not(:has(main main))",
        },
    ],
});

/** Tab and Shift+Tab leave the search inside the form, in both directions. */
tours.add("campaign_master_tab_key", {
    steps: () => [
        { trigger: "a[name=campaign_master_contacts]", run: "click" },
        { trigger: `${GRID} .o_data_row` },
        {
            trigger: `${GRID} .o_searchview_input`,
            run() {
                this.anchor.focus();
            },
        },
        { trigger: `${GRID} .o_searchview_input:focus`, run: "press Tab" },
        { trigger: `${GRID} .o_searchview_dropdown_toggler:focus`, run: "press Shift+Tab" },
        { trigger: `${GRID} .o_searchview_input:focus`, run: "press Shift+Tab" },
        { trigger: `${GRID} .o_searchview button[title='Search...']:focus` },
    ],
});

/** On a phone, a recipient is a card. */
tours.add("campaign_master_phone", {
    steps: () => [
        { trigger: "a[name=campaign_master_contacts]", run: "click" },
        {
            trigger: `${GRID} .o_kanban_record:contains('Ann Sharer'):contains('Bakers'):contains('Opened'):contains('Only the first address is used')`,
        },
        { trigger: `${GRID} .o_campaign_master_add:contains('Add Contacts')` },
        { trigger: `${GRID} .o_kanban_record span:contains('Ann Sharer')`, run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=email] input" },
    ],
});

/** Somebody without access to leads sees no Leads tab. */
tours.add("campaign_master_no_leads", {
    steps: () => [
        {
            trigger:
                ".o_notebook:has(a[name=campaign_master_contacts]):not(:has(a[name=campaign_master_leads]))",
        },
    ],
});

/** People who are selected in their list are added to a campaign. */
tours.add("campaign_master_add_to_campaign", {
    steps: () => [
        { trigger: ".o_data_row:contains('Tick Me') .o_list_record_selector input", run: "click" },
        { trigger: ".o_cp_action_menus .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu .dropdown-item:contains('Add to Campaign')", run: "click" },
        { trigger: ".modal [name=campaign_id] input", run: "edit Spring offers" },
        { trigger: ".ui-autocomplete .ui-menu-item:contains('Spring offers')", run: "click" },
        { trigger: ".modal button[name=action_add]", run: "click" },
        { trigger: ".o_notification:contains('1 recipient was added to “Spring offers”')" },
    ],
});
